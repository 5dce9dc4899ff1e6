/**
 * What Microsoft Sentinel and Azure Monitor take (MicrosoftDocs azure-docs articles/sentinel/sentinel-service-limits.md and watchlists.md;
 * azure-monitor-docs logs/includes/azure-monitor-limits-custom-logs.md; azure-docs azure-resource-manager/templates/best-practices.md).
 * Bytes are of UTF-8.
 */
export const LIMITS = {
  /** Of the CSV of one upload, and of `rawContent` in a REST body: 3.8 MB. */
  csvBytes: 3_800_000,
  /** Of the CSV within one ARM template. */
  templateBytes: 1_000_000,
  lineCharacters: 10_240,
  rowBytes: 10 * 1024,
  /** Items created, changed and deleted in a month, over all watchlists of a workspace. */
  changesAMonth: 100_000,
  /** One call of the Logs Ingestion API takes 1 MB; some room for what a client adds. */
  callBytes: 900_000,
  /** One field of a record; longer is cut by the service. */
  fieldBytes: 64 * 1024,
} as const;

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

/**
 * Cuts a list into parts that each stay within so many bytes, in order; no part is empty.
 * @param overhead bytes of each part beside its elements
 */
export function partsOf<T>(elements: readonly T[], sizeOf: (element: T) => number, max: number, overhead: number): T[][] {
  const parts: T[][] = [];
  let open: T[] = [];
  let bytes = overhead;
  for (const element of elements) {
    const size = sizeOf(element);
    if (open.length > 0 && bytes + size > max) {
      parts.push(open);
      open = [];
      bytes = overhead;
    }
    open.push(element);
    bytes += size;
  }
  if (open.length > 0) parts.push(open);
  return parts;
}
