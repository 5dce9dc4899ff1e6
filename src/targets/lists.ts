import { readFileSync } from 'node:fs';
import { type Problem, problem, systemReason } from '../errors.ts';
import { readStandardInput } from '../input.ts';
import type { TargetText } from './parse.ts';

/** Larger lists are most likely not lists. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/**
 * The targets of the command line and of list files, one by one, each with its place. `@FILE` reads a file, `-` standard input.
 * In a list targets are separated by white space or commas, and `#` begins a comment.
 */
export async function collectTargets(
  words: readonly string[],
  files: readonly string[],
  readInput: () => Promise<string> = async () => (await readStandardInput()).toString('utf8'),
): Promise<{ targets: TargetText[]; problems: Problem[] }> {
  const targets: TargetText[] = [];
  const problems: Problem[] = [];
  const fromFile = async (file: string): Promise<void> => {
    const name = file === '-' ? 'standard input' : file;
    let text: string;
    try {
      text = file === '-' ? await readInput() : readFileSync(file, 'utf8');
    } catch (error) {
      problems.push(problem('unreadable-file', { file: name, reason: systemReason(error) }));
      return;
    }
    if (text.length > MAX_LIST_BYTES) {
      problems.push(problem('unreadable-file', { file: name, reason: `it is larger than ${MAX_LIST_BYTES / 1024 / 1024} MiB` }));
      return;
    }
    const found = splitList(text, name);
    if (found.length === 0) problems.push(problem('empty-file', { file: name, what: 'targets' }));
    targets.push(...found);
  };
  for (const word of words) {
    if (word === '-') await fromFile('-');
    else if (word.startsWith('@')) await fromFile(word.slice(1));
    else targets.push(...splitWords(word).map((text) => ({ text, place: {} })));
  }
  for (const file of files) await fromFile(file);
  return { targets, problems };
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
