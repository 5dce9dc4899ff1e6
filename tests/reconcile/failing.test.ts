import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { failing, type Finding } from '../../src/reconcile/index.ts';
import type { Severity, State } from '../../src/vocabulary.ts';

function finding(state: State, severity: Severity): Finding {
  return { state, severity, name: `${state} ${severity}`, addresses: [], matched: [], conflicts: [], explanation: '' };
}

const ALL = [
  finding('impostor', 'critical'),
  finding('unapproved', 'high'),
  finding('unapproved', 'low'),
  finding('moved', 'medium'),
  finding('approved-present', 'info'),
];

test.for<{ failOn: string; names: string[] }>([
  { failOn: 'unapproved', names: ['unapproved high', 'unapproved low'] },
  { failOn: 'unapproved,impostor', names: ['impostor critical', 'unapproved high', 'unapproved low'] },
  { failOn: ' Moved , approved-missing ', names: ['moved medium'] },
  { failOn: 'severity>=high', names: ['impostor critical', 'unapproved high'] },
  { failOn: 'severity >= Critical', names: ['impostor critical'] },
  { failOn: 'severity>=critical,severity>=medium', names: ['impostor critical', 'unapproved high', 'moved medium'] },
  { failOn: 'severity>=critical,moved', names: ['impostor critical', 'moved medium'] },
  { failOn: 'severity>=info', names: ALL.map(({ name }) => name) },
  { failOn: 'expired', names: [] },
])('--fail-on $failOn', ({ failOn, names }) => expect(failing(ALL, failOn).map(({ name }) => name)).toEqual(names));

test.for<{ failOn: string; says: RegExp[] }>([
  { failOn: '', says: [/^--fail-on "": it is no state \(states: impostor, unapproved, /] },
  { failOn: 'unaproved', says: [/^--fail-on unaproved: it is no state; did you mean unapproved\?/] },
  { failOn: 'severity>=hot', says: [/^--fail-on severity>=hot: severities are critical, high, medium, low, info$/] },
  { failOn: 'severity=high', says: [/^--fail-on severity=high: it is no state/] },
  { failOn: 'unapproved,,x', says: [/^--fail-on "": /, /^--fail-on x: /] },
])('--fail-on "$failOn" is an error that names what there is', ({ failOn, says }) => {
  try {
    failing([], failOn);
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.problems.map(({ code }) => code)).toEqual(says.map(() => 'bad-option'));
    for (const [i, line] of error.message.split('\n').entries()) expect(line).toMatch(says[i] ?? /^$/);
  }
});
