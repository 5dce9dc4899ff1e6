import { statSync } from 'node:fs';
import { inputError } from '../errors.ts';

/** Refuses to write where a file stands that the command reads: an approved list or an inventory is not to be lost by a slip. @throws {InputError} */
export function refuseToReplace(output: string | undefined, inputs: readonly (string | undefined)[]): void {
  if (output === undefined || output === '-') return;
  const there = fileId(output);
  if (there !== undefined && inputs.some((file) => file !== undefined && fileId(file) === there))
    throw inputError('replaces-input', { file: output });
}

/** Tells a file from others under any of its names; undefined where there is none, or a pipe. */
function fileId(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() === true ? `${stat.dev} ${stat.ino}` : undefined;
}
