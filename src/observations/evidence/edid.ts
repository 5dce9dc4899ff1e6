import { inputError } from '../../errors.ts';
import { type Attached, cleanText, EDID_HEADER, type EvidenceFormat, hexId, known } from './content.ts';

const BLOCK = 128;

/** An EDID as Linux has it in `/sys/class/drm/card*-*` (`edid`), or its hex digits: VESA E-EDID release A. */
export const edid: EvidenceFormat = {
  name: 'EDID',
  fits: (content) => content.kind === 'bytes' || (content.kind === 'text' && hexOf(content.text) !== undefined),
  read: (content) => {
    const bytes = content.kind === 'bytes' ? content.bytes : content.kind === 'text' ? hexOf(content.text) : undefined;
    if (bytes === undefined) return [];
    if (bytes.length % BLOCK !== 0 || bytes.length > 256 * BLOCK)
      throw inputError('bad-evidence', {
        reason: `this EDID has ${bytes.length} bytes and should have a multiple of ${BLOCK}: copy the whole file`,
      });
    for (let at = 0; at < bytes.length; at += BLOCK)
      if (bytes.subarray(at, at + BLOCK).reduce((sum, byte) => sum + byte, 0) % 256 !== 0)
        throw inputError('bad-evidence', {
          reason: `the checksum of block ${at / BLOCK} of this EDID is wrong: it is damaged, copy it again`,
        });
    const vendor = vendorLetters(bytes.readUInt16BE(8));
    const product = bytes.readUInt16LE(10).toString(16).padStart(4, '0');
    const number = bytes.readUInt32LE(12);
    const serial = textIn(bytes, 0xff) ?? (number === 0 ? undefined : `0x${number.toString(16).padStart(8, '0')}`);
    return [
      {
        part: ['display', vendor ?? '', product, serial ?? ''].join(' ').trim(),
        probe: 'edid',
        facts: known({ 'edid.vendor': vendor, 'edid.product': product, 'edid.name': textIn(bytes, 0xfc), 'edid.serial': serial }),
      },
    ];
  },
};

function hexOf(text: string): Buffer | undefined {
  const digits = text.replace(/\s+/g, '');
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) return undefined;
  const bytes = Buffer.from(digits, 'hex');
  return bytes.subarray(0, 8).equals(EDID_HEADER) ? bytes : undefined;
}

/**
 * A display as macOS tells it, without the bytes of its EDID: the maker as a number in hex, the product as four hex digits. The built-in ones of Apple
 * have another kind of number for a maker.
 */
export function displayOf(
  maker: string | undefined,
  code: string | undefined,
  name: string | undefined,
  number: string | undefined,
): Attached[] {
  const vendor = Number.parseInt(maker ?? '', 16);
  const product = hexId(code);
  const letters = vendor > 0 && vendor < 0x8000 ? vendorLetters(vendor) : undefined;
  if (letters === undefined || product === undefined) return [];
  const serial = number === '0' ? undefined : number;
  return [
    {
      part: ['display', letters, product, number ?? ''].join(' ').trim(),
      probe: 'edid',
      facts: known({ 'edid.vendor': letters, 'edid.product': product, 'edid.name': name, 'edid.serial': serial }),
    },
  ];
}

/** Three letters of five bits each. */
export function vendorLetters(number: number): string | undefined {
  const letters = [number >> 10, number >> 5, number].map((bits) => String.fromCharCode((bits & 31) + 64)).join('');
  return /^[A-Z]{3}$/.test(letters) ? letters : undefined;
}

/** The text of the first descriptor of a kind: 13 characters at most, ended by a line feed. */
function textIn(bytes: Buffer, kind: number): string | undefined {
  for (let at = 54; at < 126; at += 18)
    if (bytes.readUInt32BE(at) === kind && bytes[at + 4] === 0)
      return cleanText((bytes.toString('latin1', at + 5, at + 18).split('\n', 1)[0] ?? '').replaceAll('\0', ''));
  return undefined;
}
