import type { Audit, AuditEntry } from '../../src/sweep/audit.ts';

/** An audit record in memory. */
export class AuditLog implements Audit {
  readonly entries: (AuditEntry & { readonly ms: number })[] = [];
  record(entry: AuditEntry): void {
    this.entries.push({ ...entry, ms: performance.now() });
  }
  close(): void {
    // nothing to close
  }
}
