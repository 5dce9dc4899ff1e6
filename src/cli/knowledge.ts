import { inputError } from '../errors.ts';
import { factVocabulary } from '../fingerprints/facts.ts';
import { ownFingerprints, readFingerprints } from '../fingerprints/load.ts';
import { Matcher } from '../fingerprints/match.ts';
import type { Fingerprint } from '../fingerprints/schema.ts';
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
  const own = new Map(ownFingerprints(() => checks).map((fingerprint) => [fingerprint.id, fingerprint]));
  if (folder !== undefined) for (const fingerprint of readFingerprints(folder, checks)) own.set(fingerprint.id, fingerprint);
  const fingerprints = [...own.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { fingerprints, matcher: new Matcher(fingerprints), paths };
}
