/** A reply as far as it can be read. */
export interface LooseReply {
  readonly status?: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** The empty line that ends the headers came. */
  readonly isHeadWhole: boolean;
}

const MAX_HEADER_LINES = 200;
const MAX_HEADER_BYTES = 64 * 1024;
/** Interim answers (100 Continue) that are passed over; who sends more has nothing else to say. */
const MAX_INTERIM = 4;

/**
 * Reads a reply that breaks the rules of HTTP/1.1 as old controllers do: lines that end in LF, blanks before the colon, lines without one,
 * two Content-Lengths, a body shorter than promised, `HTTP/1 200`, no status line at all. Never throws.
 */
export function parseLoose(bytes: Buffer): LooseReply {
  let reply = parseOne(bytes);
  for (let interim = 0; interim < MAX_INTERIM && reply.status !== undefined && reply.status >= 100 && reply.status < 200; interim += 1) {
    // An interim answer has no body: what follows is the real one.
    if (reply.body.subarray(0, 5).toString('latin1') !== 'HTTP/') break;
    reply = parseOne(reply.body);
  }
  return reply;
}

function parseOne(bytes: Buffer): LooseReply {
  // Headers that are longer are cut, and there is no body then.
  const text = bytes.toString('latin1', 0, MAX_HEADER_BYTES);
  const start = /^(?:HTTP\/\d(?:\.\d)?|ICY) +(\d{3})[^\n]*(?:\n|$)/.exec(text);
  if (start === null) return { headers: [], body: bytes, isHeadWhole: true };
  const rest = text.slice(start[0].length);
  const end = /(?:^|\n)\r?\n/.exec(rest); // not /^\r?\n/m: in JavaScript ^ also matches between \r and \n
  const headers: [string, string][] = [];
  for (const line of (end === null ? rest : rest.slice(0, end.index)).split(/\r?\n/)) {
    const last = headers.at(-1);
    const colon = line.indexOf(':');
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += ` ${line.trim()}`;
    else if (colon > 0 && headers.length < MAX_HEADER_LINES) headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  const body = end === null ? Buffer.alloc(0) : bytes.subarray(start[0].length + end.index + end[0].length);
  const chunked = headers.some(([name, value]) => name.toLowerCase() === 'transfer-encoding' && /chunked/i.test(value));
  return { status: Number(start[1]), headers, body: chunked || looksChunked(body) ? dechunk(body) : body, isHeadWhole: end !== null };
}

function looksChunked(body: Buffer): boolean {
  return (
    /^[0-9a-f]{1,6}\r\n/i.test(body.subarray(0, 16).toString('latin1')) && body.subarray(-16).toString('latin1').endsWith('\r\n0\r\n\r\n')
  );
}

/** The content of a chunked body, up to where it stops making sense. One that does not begin with the size of a chunk is not in chunks, whatever was announced. */
function dechunk(body: Buffer): Buffer {
  if (!/^[0-9a-f]{1,8}[ \t]*[;\r\n]/i.test(body.subarray(0, 32).toString('latin1'))) return body;
  const parts: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    const end = body.indexOf('\n', at);
    const size = Number.parseInt(body.subarray(at, end < 0 ? undefined : end).toString('latin1'), 16);
    if (end < 0 || !Number.isInteger(size) || size <= 0) break;
    parts.push(body.subarray(end + 1, end + 1 + size));
    at = end + 1 + size;
    while (body[at] === 13 || body[at] === 10) at += 1;
  }
  return Buffer.concat(parts);
}
