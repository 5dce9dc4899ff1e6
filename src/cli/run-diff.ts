import { type Change, changesBetween, hasChanged } from '../inventory/changes.ts';
import { readInventory } from '../inventory/file.ts';
import type { Inventory } from '../inventory/schema.ts';
import { changesCsv, changesMarkdown, changeTable } from '../outputs/changes.ts';
import { jsonDocument, jsonLines } from '../outputs/json.ts';
import { exitCode } from './exit.ts';
import { writeResult } from './findings.ts';
import { type ReportFormat, reportFormat, terminalColumns } from './options.ts';
import { refuseToReplace } from './output.ts';

export interface DiffOptions {
  readonly format?: ReportFormat;
  readonly output?: string;
}

/** `kvmsweep diff`. @returns the exit code @throws {InputError} */
export function runDiff(oldFile: string, newFile: string, { format, output }: DiffOptions): number {
  refuseToReplace(output, [oldFile, newFile]);
  const [before, after] = [readInventory(oldFile), readInventory(newFile)];
  const changes = changesBetween(before, after);
  writeResult(text(changes, before, after, { format: reportFormat(format, output), toFile: output !== undefined }), output);
  const { complete, limitations } = after.completeness;
  if (!complete) for (const limitation of limitations) process.stderr.write(`incomplete: ${limitation.text}\n`);
  return exitCode({ findings: changes.some(hasChanged), incomplete: !complete });
}

function text(
  changes: readonly Change[],
  before: Inventory,
  after: Inventory,
  { format, toFile }: { readonly format: ReturnType<typeof reportFormat>; readonly toFile: boolean },
): string {
  switch (format) {
    case 'ndjson':
      return jsonLines(changes);
    case 'json':
      return jsonDocument(changes);
    case 'csv':
      return changesCsv(changes);
    case 'markdown':
      return changesMarkdown(changes, before, after);
    case 'table':
      return changes.length === 0 ? 'nothing changed\n' : `${changeTable(changes, toFile ? undefined : terminalColumns())}\n`;
    default:
      return format satisfies never;
  }
}
