import { createReadStream, readFileSync } from 'node:fs';
import { InputError, type Problem, problem, problemText, systemReason } from '../errors.ts';
import { readStandardInput } from '../input.ts';
import type { TargetText } from './parse.ts';
import { headOf, scanForm } from './scans/read.ts';
import { isTable, scanTargets, tableTargets } from './scans/targets.ts';

/** Larger lists are most likely not lists. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/** An inventory, a journal, the JSON of another tool: its words would be looked up as names, in a name server that has no business with them. */
const JSON_TEXT = /^\ufeff?\s*[{[]\s*[{"]/;
const NO_TARGETS =
  'it is JSON, and none of masscan: a list of targets has addresses, blocks or names (those of an inventory: jq -r ".devices[].addresses[]" FILE)';

/**
 * The targets of the command line and of list files, one by one, each with its place. `@FILE` reads a file, `-` standard input.
 * In a list targets are separated by white space or commas, and `#` begins a comment. A file of another scanner (nmap, masscan) and a table with headings
 * give targets too, with the ports that they name.
 */
export async function collectTargets(
  words: readonly string[],
  files: readonly string[],
  readInput: () => Promise<string> = async () => (await readStandardInput()).toString('utf8'),
): Promise<{ targets: TargetText[]; problems: Problem[]; notes: string[] }> {
  const targets: TargetText[] = [];
  const problems: Problem[] = [];
  const notes: string[] = [];
  const take = (found: { readonly targets: readonly TargetText[]; readonly problems: readonly Problem[] }, file: string): void => {
    if (found.targets.length === 0) problems.push(problem('empty-file', { file, what: 'targets' }));
    for (const target of found.targets) targets.push(target);
    problems.push(...found.problems);
  };
  // An interrupted scan has found what it has found.
  const takeScan: typeof take = (found, file) => {
    const isUsable = found.targets.length > 0;
    if (isUsable) notes.push(...found.problems.map(problemText));
    take(isUsable ? { targets: found.targets, problems: [] } : found, file);
  };
  const fromFile = async (file: string): Promise<void> => {
    const name = file === '-' ? 'standard input' : file;
    let text: string;
    try {
      if (file !== '-' && scanForm(await headOf(file)) !== undefined) {
        takeScan(await scanTargets(file, createReadStream(file)), name);
        return;
      }
      text = file === '-' ? await readInput() : readFileSync(file, 'utf8');
    } catch (error) {
      if (error instanceof InputError) problems.push(...error.problems);
      else problems.push(problem('unreadable-file', { file: name, reason: systemReason(error) }));
      return;
    }
    if (text.length > MAX_LIST_BYTES) {
      problems.push(problem('unreadable-file', { file: name, reason: `it is larger than ${MAX_LIST_BYTES / 1024 / 1024} MiB` }));
      return;
    }
    if (scanForm(text) !== undefined) takeScan(await scanTargets(name, inOnePiece(text)), name);
    else if (JSON_TEXT.test(text)) problems.push(problem('bad-scan', { reason: NO_TARGETS }, { file: name }));
    else if (isTable(text)) take(tableTargets(text, name), name);
    else take({ targets: splitList(text, name), problems: [] }, name);
  };
  for (const word of words) {
    if (word === '-') await fromFile('-');
    else if (word.startsWith('@')) await fromFile(word.slice(1));
    else targets.push(...splitWords(word).map((text) => ({ text, place: {} })));
  }
  for (const file of files) await fromFile(file);
  return { targets, problems, notes };
}

async function* inOnePiece(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

/** The targets of a list's text, each with its line. */
export function splitList(text: string, file: string): TargetText[] {
  const targets: TargetText[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries())
    for (const word of splitWords(line.replace(/#.*/, ''))) targets.push({ text: word, place: { file, line: index + 1 } });
  return targets;
}

function splitWords(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}
