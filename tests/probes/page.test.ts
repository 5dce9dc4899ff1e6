import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jumpOf, type PageContent, pageRecord, readPage, refreshTarget, textOf } from '../../src/probes/page.ts';
import { pageOf, type Reply } from '../support/playback.ts';

test.for<{ name: string; html: string; content: Partial<PageContent> }>([
  {
    name: 'title and generator',
    html: '<title>\n KX III\t Login </title><meta name=Generator content=" Joomla! ">',
    content: { title: 'KX III Login', generator: 'Joomla!' },
  },
  { name: 'the first title counts', html: '<title>a</title><body><title>b</title>', content: { title: 'a' } },
  {
    name: 'the title of a drawing is not that of the page',
    html: '<svg><title>logo</title></svg><title>page</title>',
    content: { title: 'page' },
  },
  { name: 'entities', html: '<title>R&amp;D &lt;KVM&gt; &#1080;</title>', content: { title: 'R&D <KVM> \u0438' } },
  { name: 'markup in a title is text', html: '<title><script>alert(1)</script></title>', content: { title: '<script>alert(1)</script>' } },
  { name: 'an endless title is cut', html: `<title>${'x'.repeat(9999)}`, content: { title: 'x'.repeat(512) } },
  {
    name: 'links as written, each once, in order',
    html: '<script src=/core/rfb.js></script><link rel=stylesheet href=app.css?v=2><img src="a.png"><a href="/login">x</a><a href="/login">y</a><frame src=menu.htm><iframe src=//x/y>',
    content: { links: ['/core/rfb.js', 'app.css?v=2', 'a.png', '/login', 'menu.htm', '//x/y'] },
  },
  {
    name: 'links that lead nowhere are none',
    html: '<a href="#top"><a href="javascript:void(0)"><a href="mailto:a@b"><img src="data:image/gif;base64,R0lG"><a href=""><a>',
    content: { links: [] },
  },
  { name: 'a long link is cut', html: `<a href="/${'x'.repeat(400)}">`, content: { links: [`/${'x'.repeat(299)}`] } },
  {
    name: 'form fields, names only',
    html: '<form><input name=user value=admin><input type=password name=pass value=secret><select name=lang><option value=de></select><textarea name=t>x</textarea><button name=go>',
    content: { fields: ['user', 'pass', 'lang', 't', 'go'] },
  },
  { name: 'icon', html: '<link rel="Shortcut ICON" href=" /img/x.png "><link rel=icon href=/y.ico>', content: { icon: '/img/x.png' } },
  {
    name: 'an icon for other uses is none',
    html: '<link rel="apple-touch-icon" href=/x.png><link rel="mask-icon" href=/y.svg>',
    content: { links: ['/x.png', '/y.svg'] },
  },
  { name: 'base', html: '<base href="/restgui/">', content: { base: '/restgui/' } },
  { name: 'refresh', html: '<meta http-equiv="Refresh" content="0; URL=\'/login.html\'">', content: { refresh: '/login.html' } },
  { name: 'capitals', html: '<HTML><HEAD><TITLE>Old</TITLE></HEAD><BODY><A HREF="X.HTM">', content: { title: 'Old', links: ['X.HTM'] } },
  {
    name: 'elements named like members of objects',
    html: '<constructor src=x><__proto__ href=y><tostring name=z>',
    content: { links: [], fields: [] },
  },
])('page: $name', ({ html, content }) => expect(readPage(html)).toMatchObject(content));

test('page: at most 200 links and 100 fields', () => {
  const { links, fields } = readPage(Array.from({ length: 500 }, (_, i) => `<a href=/${i}><input name=f${i}>`).join(''));
  expect([links.length, fields.length]).toEqual([200, 100]);
});

test.for(['<b>', '<a href=x>', '<form>', '<svg>', '<table><tr>', '<title>', '<p x=', '</b>', '<!--', '<![CDATA['])(
  'page: 64 KiB of %s are read in a moment',
  (unit) => {
    const from = performance.now();
    readPage(unit.repeat(Math.ceil(65536 / unit.length)));
    expect(performance.now() - from).toBeLessThan(2000);
  },
);

test.for<[content: string, target: string | undefined]>([
  ['0; url=/login', '/login'],
  ['0;URL="/login"', '/login'],
  ["5 , url = '/a b'", '/a b'],
  ['0;/login', '/login'],
  ['1.5;url=https://192.0.2.1/', 'https://192.0.2.1/'],
  [';url=/x', '/x'],
  ['300', undefined],
  ['0;', undefined],
  ['0; url=', undefined],
  ['', undefined],
])('refresh "%s" leads to %s', ([content, target]) => expect(refreshTarget(content)).toBe(target));

test.for<[script: string, target: string | undefined]>([
  ['location.href="/login.asp"', '/login.asp'],
  ["top.location = 'https://x/';", 'https://x/'],
  ['window.location="/a"', '/a'],
  ['window.top.location.href = "/a"', '/a'],
  ["self.location.href='index.htm'", 'index.htm'],
  ['location.replace("/a")', '/a'],
  ['document.location="/a"', '/a'],
  ['location.href = "https://" + location.hostname', undefined],
  ['if (location.href == "/a") {}', undefined],
  ['mylocation.href="/a"', undefined],
  ['var location = "Berlin"', undefined],
  ['location.href=url', undefined],
])('a short page with %s leads to %s', ([script, target]) => {
  const html = `<html><script>${script}</script></html>`;
  expect(jumpOf(pageOf('/', html), html, readPage(html))).toBe(target);
  const long = html + ' '.repeat(4096);
  expect(jumpOf(pageOf('/', long), long, readPage(long))).toBeUndefined();
});

const typed = (type: string, body: Buffer): Reply => ({ headers: [['Content-Type', type]], body });
test.for<{ name: string; reply: Reply; text: string | undefined }>([
  { name: 'UTF-8 where nothing is said', reply: typed('text/html', Buffer.from('Gerät')), text: 'Gerät' },
  { name: 'latin1 where it is no UTF-8', reply: typed('text/html', Buffer.from('Gerät', 'latin1')), text: 'Gerät' },
  { name: 'latin1 that says it is UTF-8', reply: typed('text/html; charset=utf-8', Buffer.from('Gerät', 'latin1')), text: 'Gerät' },
  { name: 'the header names it', reply: typed('text/html; Charset="Shift_JIS"', Buffer.from('93fa967b', 'hex')), text: '日本' },
  {
    name: 'the page names it',
    reply: typed('text/html', Buffer.concat([Buffer.from('<meta charset=gb2312>'), Buffer.from('d6d0', 'hex')])),
    text: '<meta charset=gb2312>中',
  },
  { name: 'a name that nobody knows', reply: typed('text/html; charset=x-nonsense', Buffer.from('Gerät')), text: 'Gerät' },
  { name: 'UTF-16 by its mark', reply: typed('text/html', Buffer.from('\ufeffKVM', 'utf16le')), text: 'KVM' },
  { name: 'a character cut at 64 KiB', reply: typed('text/html', Buffer.from(`${'x'.repeat(65535)}ä`)), text: 'x'.repeat(65535) },
  { name: 'only the first 64 KiB', reply: typed('text/html', Buffer.from('x'.repeat(70000))), text: 'x'.repeat(65536) },
  { name: 'an image', reply: typed('image/png', Buffer.from('PNG')), text: undefined },
  { name: 'a drawing is text', reply: typed('image/svg+xml', Buffer.from('<svg/>')), text: '<svg/>' },
  { name: 'bytes under a wrong type', reply: typed('text/html', Buffer.from([0x47, 0, 0, 1])), text: undefined },
  { name: 'nothing', reply: typed('text/html', Buffer.alloc(0)), text: undefined },
])('text: $name', ({ reply, text }) => expect(textOf(pageOf('/', reply))).toBe(text));

test('a page beyond the first is kept as a record', () => {
  const body = '{"version":"1"}';
  const headers = [
    ['Content-Type', 'application/JSON; charset=utf-8'],
    ['ETag', '"abc"'],
    ['Last-Modified', 'Wed, 04 Sep 2024 10:00:00 GMT'],
  ] as const;
  expect(pageRecord(pageOf('/x', { headers, body }))).toEqual({
    status: 200,
    type: 'application/json',
    bytes: 15,
    sha256: createHash('sha256').update(body).digest('hex'),
    etag: '"abc"',
    lastModified: 'Wed, 04 Sep 2024 10:00:00 GMT',
    body,
  });
  const { body: text, ...rest } = pageRecord(pageOf('/x', { status: undefined, headers: [['Content-Type', 'image/png']], body: 'PNG' }));
  expect(text).toBeUndefined();
  expect(rest).toEqual({ type: 'image/png', bytes: 3, sha256: createHash('sha256').update('PNG').digest('hex') });
});

const MARKUP = fc.array(
  fc.constantFrom(
    '<',
    '>',
    '</',
    '"',
    "'",
    '=',
    ' ',
    'a',
    'title',
    'meta ',
    'http-equiv=refresh ',
    'content=',
    'url=',
    'link rel=icon href=',
    'svg',
    '<!--',
    '-->',
    '<script>',
    '&amp;',
    '\0',
    'é',
    'data:',
    '\n',
    ';',
  ),
  { maxLength: 40 },
);
test('page: any markup is read', () =>
  fc.assert(
    fc.property(MARKUP, (parts) => {
      const text = parts.join('');
      const content = readPage(text);
      jumpOf(pageOf('/', Buffer.from(text).toString('latin1')), text, content);
      expect(content.links.length).toBeLessThanOrEqual(200);
      expect(content.title).not.toBe('');
    }),
    { numRuns: 500 },
  ));
