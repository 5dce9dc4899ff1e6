import { InputError, type Problem, problem } from '../errors.ts';
import { nearest } from '../text.ts';
import { SEVERITIES, type Severity, type State, STATES } from '../vocabulary.ts';
import type { Finding } from './finding.ts';

const OPTION = '--fail-on';

/**
 * The findings that `--fail-on` names: states (`unapproved,impostor`), `severity>=high`, or both, separated by commas. A finding is named by any of them;
 * `wrong-network` names whatever is outside of its networks, also where something more pressing is said of it.
 * @throws {InputError} `bad-option` for each value that is neither, with those that exist
 */
export function failing(findings: readonly Finding[], failOn: string): Finding[] {
  const states = new Set<State>();
  let least: number | undefined;
  const problems: Problem[] = [];
  for (const word of failOn.split(',').map((part) => part.trim())) {
    const severity = /^severity\s*>=\s*(\S+)$/i.exec(word)?.[1]?.toLowerCase();
    const state = STATES.find((one) => one === word.toLowerCase());
    if (severity !== undefined && isSeverity(severity)) least = Math.max(least ?? 0, SEVERITIES.indexOf(severity));
    else if (state !== undefined) states.add(state);
    else problems.push(problem('bad-option', { option: OPTION, text: word === '' ? '""' : word, reason: reasonFor(word, severity) }));
  }
  if (problems.length > 0) throw new InputError(problems);
  return findings.filter(
    ({ state, severity, policy }) =>
      states.has(state) ||
      (policy !== undefined && states.has('wrong-network')) ||
      (least !== undefined && SEVERITIES.indexOf(severity) <= least),
  );
}

function isSeverity(text: string): text is Severity {
  return SEVERITIES.some((one) => one === text);
}

function reasonFor(word: string, severity: string | undefined): string {
  if (severity !== undefined) return `severities are ${SEVERITIES.join(', ')}`;
  const near = nearest(word.toLowerCase(), STATES);
  return `it is no state${near === undefined ? '' : `; did you mean ${near}?`} (states: ${STATES.join(', ')}; or severity>=${SEVERITIES.join('|')})`;
}
