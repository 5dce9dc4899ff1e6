import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLoose } from '../../src/sweep/loose.ts';

interface Case {
  readonly name: string;
  readonly said: string;
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body: string;
}

test.for<Case>([
  { name: 'a reply by the rules', said: 'HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhi', status: 200, headers: [['Server', 'x']], body: 'hi' },
  {
    name: 'lines that end in LF',
    said: 'HTTP/1.0 200 OK\nServer: x\nA: b\n\nhi',
    status: 200,
    headers: [
      ['Server', 'x'],
      ['A', 'b'],
    ],
    body: 'hi',
  },
  { name: 'a version without a minor', said: 'HTTP/1 200 OK\r\nServer: x\r\n\r\nhi', status: 200, headers: [['Server', 'x']], body: 'hi' },
  { name: 'a status without a reason', said: 'HTTP/1.1 404\r\n\r\nhi', status: 404, headers: [], body: 'hi' },
  { name: 'status 000', said: 'HTTP/1.1 000 \r\n\r\nhi', status: 0, headers: [], body: 'hi' },
  { name: 'ICY', said: 'ICY 200 OK\r\nicy-name: x\r\n\r\n', status: 200, headers: [['icy-name', 'x']], body: '' },
  { name: 'a blank before the colon', said: 'HTTP/1.1 200 OK\r\nServer : x\r\n\r\n', status: 200, headers: [['Server', 'x']], body: '' },
  {
    name: 'a line without a colon',
    said: 'HTTP/1.1 200 OK\r\nnonsense\r\nServer: x\r\n\r\nhi',
    status: 200,
    headers: [['Server', 'x']],
    body: 'hi',
  },
  {
    name: 'a line that begins with a colon',
    said: 'HTTP/1.1 200 OK\r\n: x\r\nServer: y\r\n\r\n',
    status: 200,
    headers: [['Server', 'y']],
    body: '',
  },
  {
    name: 'a folded line',
    said: 'HTTP/1.1 200 OK\r\nServer: a\r\n  b\r\n\tc\r\n\r\n',
    status: 200,
    headers: [['Server', 'a b c']],
    body: '',
  },
  {
    name: 'a control character in a value',
    said: 'HTTP/1.1 200 OK\r\nServer: a\x01b\r\n\r\n',
    status: 200,
    headers: [['Server', 'a\x01b']],
    body: '',
  },
  {
    name: 'a length twice',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi',
    status: 200,
    headers: [
      ['Content-Length', '2'],
      ['Content-Length', '2'],
    ],
    body: 'hi',
  },
  {
    name: 'chunks with a length',
    said: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1;x=y\r\n!\r\n0\r\n\r\n',
    status: 200,
    body: 'hi!',
  },
  { name: 'chunks that are cut', said: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel', status: 200, body: 'hel' },
  { name: 'chunks with LF', said: 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n', status: 200, body: 'hi' },
  {
    name: 'a chunk whose content begins with a line break',
    said: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n2\r\n\n!\r\n0\r\n\r\n',
    status: 200,
    body: 'hi\n!',
  },
  { name: 'chunks nobody announced', said: 'HTTP/1.1 200 OK\r\n\r\n2\r\nhi\r\n0\r\n\r\n', status: 200, body: 'hi' },
  { name: 'a page that begins with a number is not in chunks', said: 'HTTP/1.1 200 OK\r\n\r\n2\r\nhi', status: 200, body: '2\r\nhi' },
  { name: 'an interim answer first', said: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi', status: 200, body: 'hi' },
  { name: 'an interim answer only', said: 'HTTP/1.1 100 Continue\r\n\r\n', status: 100, body: '' },
  { name: 'no status line', said: '<html>hi</html>', body: '<html>hi</html>' },
  { name: 'a status line only', said: 'HTTP/1.1 200 OK', status: 200, headers: [], body: '' },
  {
    name: 'headers without an end',
    said: 'HTTP/1.1 200 OK\r\nServer: x\r\nA: b',
    status: 200,
    headers: [
      ['Server', 'x'],
      ['A', 'b'],
    ],
    body: '',
  },
  {
    name: 'an empty line of CR LF after lines of LF',
    said: 'HTTP/1.1 200 OK\nServer: x\n\r\nhi',
    status: 200,
    headers: [['Server', 'x']],
    body: 'hi',
  },
  { name: 'no headers', said: 'HTTP/1.1 200 OK\r\n\r\n', status: 200, headers: [], body: '' },
  { name: 'nothing', said: '', body: '' },
])('loose: $name', ({ said, status, headers, body }) => {
  const reply = parseLoose(Buffer.from(said, 'latin1'));
  expect(reply.status).toBe(status);
  if (headers !== undefined) expect(reply.headers).toEqual(headers);
  expect(reply.body.toString('latin1')).toBe(body);
});

test('loose: at most 200 headers and 64 KiB of them', () => {
  const many = parseLoose(Buffer.from(`HTTP/1.1 200 OK\n${'a: b\n'.repeat(5000)}\nhi`));
  expect(many.headers.length).toBe(200);
  expect(many.body.toString()).toBe('hi');
  const long = parseLoose(Buffer.from(`HTTP/1.1 200 OK\n${`a: ${'b'.repeat(30_000)}\n`.repeat(10)}\nhi`));
  expect(long.headers.map(([name, value]) => name.length + value.length).reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(64 * 1024);
  const folded = parseLoose(Buffer.from(`HTTP/1.1 200 OK\nA: b\n${' c\n'.repeat(5000)}\nhi`));
  expect(folded.headers.length).toBe(1);
});

test.for([
  ['interim answers without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(22_000)],
  ['a header without end', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(570_000)}`],
  ['line ends without end', `HTTP/1.1 200 OK\r\nA: b${'\r'.repeat(570_000)}`],
  ['blanks without end', `HTTP/1.1 200 OK\nA:${' '.repeat(570_000)}b\n\n`],
  ['blanks in the status line', `HTTP/1.1${' '.repeat(570_000)}`],
  ['chunks of one byte', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(90_000)}`],
  ['a chunk size without end', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1'.repeat(570_000)}`],
] as const)('loose: %s are read in a moment', ([, said]) => {
  const from = performance.now();
  parseLoose(Buffer.from(said, 'latin1'));
  expect(performance.now() - from).toBeLessThan(1000);
});

const PARTS = [
  'HTTP/1.1 ',
  '200',
  '100',
  ' OK',
  '\r\n',
  '\n',
  '\r',
  ':',
  ' ',
  'Transfer-Encoding: chunked',
  'Content-Length: 1',
  '0',
  'f',
  '5;',
  'ICY ',
  '\0',
  '\xff',
];
test('loose: any bytes are read, and the body is never longer than what came', () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc
          .array(fc.constantFrom(...PARTS), { maxLength: 40 })
          .map((parts) => Buffer.from(`HTTP/1.1 200 OK\r\n${parts.join('')}`, 'latin1')),
      ),
      (bytes) => {
        const { body, status } = parseLoose(bytes);
        expect(body.length).toBeLessThanOrEqual(bytes.length);
        if (status !== undefined) expect(status).toBeLessThan(1000);
      },
    ),
    { numRuns: 1000 },
  ));
