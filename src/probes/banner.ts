import type { Facts } from '../vocabulary.ts';

/** What is kept of what a device said. */
export const MAX_BANNER_BYTES = 4096;

/** What came, as text (one character a byte, controls and all: outputs clean it) and in hex. Nothing where nothing came. */
export function bannerFacts(bytes: Buffer): Facts {
  if (bytes.length === 0) return {};
  const kept = bytes.subarray(0, MAX_BANNER_BYTES);
  return { 'banner.text': kept.toString('latin1'), 'banner.hex': kept.toString('hex') };
}
