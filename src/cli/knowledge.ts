import { inputError } from '../errors.ts';
import { factVocabulary } from '../fingerprints/facts.ts';
import { ownFingerprints, readFingerprints } from '../fingerprints/load.ts';
import { Matcher } from '../fingerprints/match.ts';
import type { Fingerprint } from '../fingerprints/schema.ts';
import type { OwnFingerprints } from '../inventory/schema.ts';
import { AllowedPaths, loadPathRules, refusePath } from '../sweep/paths.ts';

export interface KnowledgeOptions {
  /** A folder of the operator's own definitions; one with a known id replaces it. */
  readonly fingerprints?: string | undefined;
  /** Paths that those may ask for beyond the reviewed list. */
  readonly allowPath?: readonly string[] | undefined;
}

export interface Knowledge {
  readonly fingerprints: readonly Fingerprint[];
  readonly matcher: Matcher;
  /** What of them is the operator's; absent where none is. */
  readonly own?: OwnFingerprints;
  readonly paths: AllowedPaths;
}

/** The fingerprints and paths of this run. @throws {InputError} */
export function loadKnowledge({ fingerprints: folder, allowPath = [] }: KnowledgeOptions = {}): Knowledge {
  for (const path of allowPath) {
    const reason = refusePath(path);
    if (reason !== undefined) throw inputError('bad-path', { path, reason });
  }
  const paths = new AllowedPaths(loadPathRules(), allowPath);
  const checks = { facts: factVocabulary(), paths };
  const all = new Map(ownFingerprints(() => checks).map((fingerprint) => [fingerprint.id, fingerprint]));
  const theirs = folder === undefined ? [] : readFingerprints(folder, checks);
  const { added = [], replaced = [] } = Object.groupBy(theirs, ({ id }) => (all.has(id) ? 'replaced' : 'added'));
  for (const fingerprint of theirs) all.set(fingerprint.id, fingerprint);
  const fingerprints = [...all.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return {
    fingerprints,
    matcher: new Matcher(fingerprints),
    ...(theirs.length === 0 ? {} : { own: { added: added.map(({ id }) => id), replaced: replaced.map(({ id }) => id) } }),
    paths,
  };
}

/** Which definitions are the operator's own; nothing where none is. */
export function ownNotes({ own = { added: [], replaced: [] } }: Knowledge): string[] {
  return [...ownNote(own.added, 'beside those of kvmsweep'), ...ownNote(own.replaced, 'in place of those of kvmsweep with the same id')];
}

const MAX_LISTED = 5;

function ownNote(ids: readonly string[], where: string): string[] {
  if (ids.length === 0) return [];
  const more = ids.length - MAX_LISTED;
  const listed = more > 0 ? [...ids.slice(0, MAX_LISTED), `${more} more`] : ids;
  return [`fingerprints of your own ${where}: ${listed.join(', ')}`];
}
