import { createReadStream } from 'node:fs';
import { inputError, problemText } from '../errors.ts';
import { writeWhole } from '../inventory/file.ts';
import { endpointOf, observationsOf, withoutBare } from '../observations/import/observations.ts';
import type { Observation } from '../observations/observation.ts';
import { jsonLines } from '../outputs/json.ts';
import { readScan } from '../targets/scans/read.ts';
import { count } from '../text.ts';
import { exitCode } from './exit.ts';
import { refuseToReplace } from './output.ts';

export interface ImportOptions {
  readonly output: string;
  readonly quiet?: boolean;
}

/** Reads other scanners' files, all of them before anything is written. */
export async function runImport(files: readonly string[], { output, quiet = false }: ImportOptions): Promise<void> {
  refuseToReplace(output, files);
  const all: Observation[] = [];
  let isWhole = true;
  for (const file of files) {
    const name = file === '-' ? 'standard input' : file;
    const source: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
    const end = await readScan(name, source, (host) => all.push(...observationsOf(host)));
    for (const one of end.problems) process.stderr.write(`${problemText(one)}\n`);
    isWhole &&= end.isWhole;
  }
  const observations = withoutBare(all);
  if (observations.length === 0) throw inputError('empty-file', { file: files.join(', '), what: 'host with an open port' });
  if (output === '-') process.stdout.write(jsonLines(observations));
  else writeWhole(output, jsonLines(observations));
  if (!quiet) {
    const hosts = new Set(observations.map(({ host }) => host)).size;
    const open = observations.filter(({ port }) => port !== undefined);
    const ports = new Set(open.map(endpointOf)).size;
    const telling = new Set(open.filter(({ facts }) => Object.keys(facts).length > 0).map(endpointOf)).size;
    process.stderr.write(`${count(hosts, 'host')}, ${count(ports, 'open port')}, ${telling} of them with something that a device said\n`);
  }
  process.exitCode = exitCode({ incomplete: !isWhole });
}
