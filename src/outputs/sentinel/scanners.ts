import { parseAddress, spaceOf } from '../../targets/addresses.ts';
import type { Inventory } from '../../inventory/schema.ts';
import { addressCell } from './addresses.ts';
import type { Row } from './columns.ts';
import type { SentinelState } from './state.ts';

/** An address that no sweep was sent from for so long is no scanner any more: whoever has it now must not be overlooked. */
const UNUSED_DAYS = 90;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The addresses that sweeps were sent from, this one included. Loopback and link-local addresses tell one host from another nowhere else. */
export function scannersAfter({ run }: Inventory, before: SentinelState['scanners'], now: Date): SentinelState['scanners'] {
  const used = new Map(before.map(({ address, lastUsed }) => [address, lastUsed]));
  const time = now.toISOString();
  for (const text of run?.sourceAddresses ?? []) {
    const number = parseAddress(text);
    if (number === undefined || ['loopback', 'link-local', 'special'].includes(spaceOf(number))) continue;
    const address = addressCell(text);
    const last = used.get(address);
    used.set(address, last === undefined || last < time ? time : last);
  }
  return [...used]
    .filter(([, lastUsed]) => now.getTime() - Date.parse(lastUsed) <= UNUSED_DAYS * DAY_MS)
    .map(([address, lastUsed]) => ({ address, lastUsed }))
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

export function scannerRows(scanners: SentinelState['scanners']): Row[] {
  return scanners.map(({ address }) => ({ SearchIp: address, Hostname: '', Zone: '', Purpose: 'kvmsweep' }));
}
