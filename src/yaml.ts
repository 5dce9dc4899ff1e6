import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { type Place, systemReason } from './errors.ts';

/** Where in a file a value stands: `['rules', 0, 'fact']`. */
export type YamlPath = readonly (string | number)[];

/** What is wrong with a file, and where. */
export interface YamlFault {
  readonly path: YamlPath;
  readonly reason: string;
  readonly place: Place;
}

/** What a person wrote in YAML: its value as a schema wants it, or all that is wrong with it. */
export type YamlRead<T> = (
  | { readonly value: T; readonly faults?: undefined }
  | { readonly value?: undefined; readonly faults: readonly YamlFault[] }
) & {
  /** Line and column of a value, of its key, or of the nearest thing around it that exists. */
  readonly placeOf: (path: YamlPath) => Place;
};

/** Reads a text as YAML and holds it against a schema. */
export function readYaml<T>(text: string, file: string, schema: z.ZodType<T>): YamlRead<T> {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (path: YamlPath): Place => ({ file, ...position(lines, offsetOf(doc, path)) });
  if (doc.errors.length > 0)
    return {
      placeOf,
      faults: doc.errors.map(({ message, pos }) => ({
        path: [],
        reason: message.split('\n', 1)[0] ?? message,
        place: { file, ...position(lines, pos[0]) },
      })),
    };
  let plain: unknown;
  try {
    plain = doc.toJS();
  } catch (error) {
    // An alias that means nothing (`*name`), or too many of them.
    return { placeOf, faults: [{ path: [], reason: systemReason(error), place: placeOf([]) }] };
  }
  const checked = schema.safeParse(plain);
  if (checked.success) return { placeOf, value: checked.data };
  return {
    placeOf,
    faults: flatten(checked.error.issues).map(({ path, message }) => ({ path, reason: message, place: placeOf(path) })),
  };
}

interface Issue {
  readonly path: YamlPath;
  readonly message: string;
}

/** A union's issue hides the real ones in its branches: show those of the branch that came nearest. */
function flatten(
  issues: readonly {
    readonly code?: string;
    readonly path: readonly PropertyKey[];
    readonly message: string;
    readonly keys?: unknown;
    readonly errors?: unknown;
  }[],
  base: YamlPath = [],
): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.filter((part) => typeof part !== 'symbol')];
    if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys))
      return issue.keys.map((key) => ({ path: [...path, String(key)], message: 'there is no such key' }));
    if (issue.code !== 'invalid_union' || !Array.isArray(issue.errors)) return [{ path, message: issue.message }];
    const branches = (issue.errors as Parameters<typeof flatten>[0][]).map((branch) => flatten(branch, path));
    return branches.toSorted((a, b) => a.length - b.length)[0] ?? [{ path, message: issue.message }];
  });
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** Where a value, its key, or the nearest thing around it that exists begins. */
export function offsetOf(doc: Document, path: YamlPath): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? doc.contents : (keyNode(doc, path.slice(0, length)) ?? doc.getIn(path.slice(0, length), true));
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** The key of a value: the value itself may begin lines below it. Undefined for an element of a list. */
function keyNode(doc: Document, path: YamlPath): unknown {
  const parent = path.length === 1 ? doc.contents : doc.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  return parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1))?.key;
}
