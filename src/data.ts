import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Files that people write (YAML in `data/`) and that the build checks and turns into JSON beside the code. */
export type DataName = 'facts' | 'paths' | 'oids' | 'fingerprints' | 'fleet' | 'sentinel';

/** True where the sources run unbuilt (tests, `node src/…`). */
const FROM_SOURCE = import.meta.url.endsWith('.ts');

/** A file or folder of `data/`, in the checkout and in the installed package alike. */
export function dataPath(name: string): string {
  return fileURLToPath(new URL(`../data/${name}`, import.meta.url));
}

/** Data as the build bundled it; where there is no build, read from its source. Parsing YAML at each start would cost more than the start itself. */
export function bundled<T>(name: DataName, fromSource: () => T): T {
  if (FROM_SOURCE) return fromSource();
  return JSON.parse(readFileSync(new URL(`./data/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** The version of this package. */
export function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}
