import { createHash } from 'node:crypto';
import type { Facts } from '../vocabulary.ts';

/** The first bytes of the image formats that icons come in: ICO, CUR, PNG, GIF, BMP, JPEG, WebP. */
const MAGIC: readonly Buffer[] = ['00000100', '00000200', '89504e470d0a1a0a', '474946383761', '474946383961', 'ffd8ff'].map((hex) =>
  Buffer.from(hex, 'hex'),
);
const SVG = /^\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,500}-->\s*)?(?:<!doctype svg[^>]{0,500}>\s*)?<svg[\s>]/i;
const HTML = /^(?:\u00ef\u00bb\u00bf)?\s*<(?:!--|(?:!doctype html|html|head|title|meta|link|script|body|frameset|center|h1|p)[\s/>])/i;

/** True where bytes begin like an image. */
export function looksLikeImage(bytes: Buffer): boolean {
  if (MAGIC.some((magic) => bytes.subarray(0, magic.length).equals(magic))) return true;
  const start = bytes.subarray(0, 2048).toString('latin1');
  if (/^BM[^]{4}\0{4}/.test(start) || /^RIFF[^]{4}WEBP/.test(start)) return true;
  return SVG.test(start);
}

/** True where bytes begin like a web page: many devices answer 200 with their login page for every path, some under the type that the name suggests. */
export function looksLikeHtml(bytes: Buffer): boolean {
  return HTML.test(bytes.subarray(0, 256).toString('latin1')) && !looksLikeImage(bytes);
}

/** The hashes of an icon. `mmh3` is what the search engines call the favicon hash: MurmurHash3 of MIME base64 (lines of 76, LF after each), signed. */
export function faviconFacts(icon: Buffer): Facts {
  const base64 = icon.toString('base64').replace(/.{1,76}/g, '$&\n');
  return {
    'http.favicon.mmh3': mmh3(Buffer.from(base64, 'latin1')),
    'http.favicon.md5': createHash('md5').update(icon).digest('hex'),
    'http.favicon.sha256': createHash('sha256').update(icon).digest('hex'),
  };
}

/** MurmurHash3 x86 32-bit with seed 0, as a signed integer (aappleby/smhasher `MurmurHash3.cpp`, public domain algorithm). */
export function mmh3(bytes: Buffer): number {
  let hash = 0;
  const blocks = bytes.length - (bytes.length % 4);
  for (let at = 0; at < blocks; at += 4) hash = (Math.imul(rotated(hash ^ scrambled(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64) | 0;
  if (blocks < bytes.length) hash ^= scrambled(bytes.readUIntLE(blocks, bytes.length - blocks));
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function scrambled(block: number): number {
  return Math.imul(rotated(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
