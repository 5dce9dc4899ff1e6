/** The forms of mDNS questions that may be sent, read back from the bytes and apart from what builds them. */

/** What is asked for by DNS-SD (RFC 6763 sections 4 and 9), each with QTYPE PTR (12) and the unicast-response bit over QCLASS IN (RFC 6762 section 5.4). */
const BROWSED = [
  '_http._tcp',
  '_https._tcp',
  '_ssh._tcp',
  '_rfb._tcp',
  '_workstation._tcp',
  '_services._dns-sd._udp',
  '_redfish._tcp',
  '_obmc_redfish._tcp',
  '_obmc_console._tcp',
  '_pikvm._tcp',
]
  .map(
    (name) =>
      `${[...name.split('.'), 'local'].map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`).toString('hex')).join('')}00000c8001`,
  )
  .join('');

/** The questions to everybody, in hexadecimal: ten, of which each is for an answer to us alone (RFC 6762 sections 5.4 and 18). */
export const BROWSE = `00000000000a000000000000${BROWSED}`;

/** The same to one address, with its reverse name as the first question. */
export function isHostBrowse(bytes: Buffer): boolean {
  const [first] = questionsOf(bytes) ?? [];
  return (
    first !== undefined &&
    isReverse(first) &&
    bytes.toString('hex', 0, 12) === '00000000000b000000000000' &&
    bytes.toString('hex', first.end) === BROWSED
  );
}

/** One to eight questions about names in `.local` or a reverse name, in 512 bytes at most. */
export function isFurtherQuestion(bytes: Buffer): boolean {
  const questions = bytes.length <= 512 ? questionsOf(bytes) : undefined;
  return questions !== undefined && questions.length <= 8 && questions.every((question) => isLocal(question) || isReverse(question));
}

interface DnsQuestion {
  /** In lower case. */
  readonly labels: readonly string[];
  readonly type: number;
  /** The byte behind it. */
  readonly end: number;
}

const PTR = 12;
const MDNS_TYPES: ReadonlySet<number> = new Set([1, PTR, 16, 28, 33]);
const UNICAST_IN = 0x8001;

/** The questions of a query that has nothing else, written out in full (RFC 1035 sections 3.1 and 4.1); undefined where it is none. */
function questionsOf(bytes: Buffer): DnsQuestion[] | undefined {
  if (!/^0{8}(?!0{4}).{4}0{12}$/.test(bytes.toString('hex', 0, 12))) return undefined;
  const questions: DnsQuestion[] = [];
  let at = 12;
  for (let left = bytes.readUInt16BE(4); left > 0; left -= 1) {
    const labels: string[] = [];
    for (let length = bytes[at]; length !== 0; length = bytes[at]) {
      if (length === undefined || length > 63) return undefined;
      labels.push(bytes.toString('latin1', at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
    const end = at + 5;
    if (end > bytes.length || bytes.readUInt16BE(end - 2) !== UNICAST_IN) return undefined;
    questions.push({ labels, type: bytes.readUInt16BE(at + 1), end });
    at = end;
  }
  return at === bytes.length ? questions : undefined;
}

function isLocal({ labels, type }: DnsQuestion): boolean {
  return labels.length > 1 && labels.at(-1) === 'local' && MDNS_TYPES.has(type);
}

/** The name that an address has the other way round (RFC 1035 section 3.5, RFC 3596 section 2.5). */
function isReverse({ labels, type }: DnsQuestion): boolean {
  const name = labels.join('.');
  return type === PTR && (/^(\d{1,3}\.){4}in-addr\.arpa$/.test(name) || /^([0-9a-f]\.){32}ip6\.arpa$/.test(name));
}
