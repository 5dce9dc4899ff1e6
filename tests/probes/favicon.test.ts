import { expect, test } from 'vitest';
import { faviconFacts, looksLikeHtml, looksLikeImage, mmh3 } from '../../src/probes/favicon.ts';

test.for<[text: string, hash: number]>([
  ['', 0],
  ['foo', -156908512],
  ['hello', 613153351],
  ['a', 1009084850],
  ['The quick brown fox jumps over the lazy dog', 776992547],
])('MurmurHash3 of "%s" is %d', ([text, hash]) => expect(mmh3(Buffer.from(text))).toBe(hash));

test('the hash of an icon is taken over MIME base64 with a line feed after each line', () => {
  const icon = Buffer.from('kvmsweep test icon bytes '.repeat(5));
  expect(faviconFacts(icon)).toEqual({
    'http.favicon.mmh3': 2086244938,
    'http.favicon.md5': '2e7a7e8f74077862466cd4a878008e09',
    'http.favicon.sha256': '93c34cfb70e58717b9cc993e61f9ead8a646e7c9ec19b4684f573dfadd9b339b',
  });
});

test.for<{ name: string; bytes: string; image: boolean; html: boolean }>([
  { name: 'ICO', bytes: '\0\0\x01\0\x01\0', image: true, html: false },
  { name: 'PNG', bytes: '\x89PNG\r\n\x1a\n', image: true, html: false },
  { name: 'GIF', bytes: 'GIF89a', image: true, html: false },
  { name: 'JPEG', bytes: '\xff\xd8\xff\xe0', image: true, html: false },
  { name: 'BMP', bytes: 'BM\x36\0\0\0\0\0\0\0', image: true, html: false },
  { name: 'WebP', bytes: 'RIFF\x24\0\0\0WEBPVP8 ', image: true, html: false },
  { name: 'SVG', bytes: '<svg xmlns="http://www.w3.org/2000/svg">', image: true, html: false },
  { name: 'SVG with a prologue', bytes: '<?xml version="1.0"?>\n<!-- x -->\n<svg>', image: true, html: false },
  { name: 'SVG that begins with a comment', bytes: '<!-- made by hand --><svg>', image: true, html: false },
  { name: 'a page', bytes: '\n <!DOCTYPE html><html>', image: false, html: true },
  { name: 'a page of frames', bytes: '<frameset>', image: false, html: true },
  { name: 'a page with a byte order mark', bytes: '\xef\xbb\xbf<html>', image: false, html: true },
  { name: 'text that begins with BM', bytes: 'BMC web server', image: false, html: false },
  { name: 'a Raritan KVM', bytes: '\0\0\0\x0b<CSC/>\0', image: false, html: false },
  { name: 'nothing', bytes: '', image: false, html: false },
])('$name: image $image, page $html', ({ bytes, image, html }) => {
  expect(looksLikeImage(Buffer.from(bytes, 'latin1'))).toBe(image);
  expect(looksLikeHtml(Buffer.from(bytes, 'latin1'))).toBe(html);
});
