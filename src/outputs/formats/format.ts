import type { Inventory } from '../../inventory/schema.ts';
import type { Finding } from '../../reconcile/index.ts';

/** What is exported: an inventory, and where it was held against approved assets, what came of it. */
export interface Exported {
  readonly inventory: Inventory;
  readonly findings?: readonly Finding[];
}

/** One text of a form that another program reads. */
export interface TextFormat {
  /** As `--to` names it. */
  readonly id: string;
  /** What it is and who reads it, for the help: from `summaries.ts`. */
  readonly summary: string;
  /** Whether it says nothing without findings. */
  readonly needsFindings?: boolean;
  /** Whether it holds nothing that only its owner should read, and the program that reads it runs as another user. */
  readonly isPublic?: boolean;
  /** @returns the whole text; `notes` are what a reader of it should know: devices it has no place for, cells that were cut */
  readonly text: (exported: Exported) => { readonly text: string; readonly notes: readonly string[] };
}
