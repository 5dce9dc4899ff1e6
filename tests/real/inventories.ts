import type { Inventory } from '../../src/inventory/schema.ts';

/** Without what names a moment, a file, an address of ours, or how often packets had to be repeated. */
export function withoutTimes({ run, devices, ledger, ...rest }: Inventory): object {
  const { arguments: _, startedAt: _1, endedAt: _2, resumedAt: _3, sourceAddresses: _4, ...plan } = run as NonNullable<Inventory['run']>;
  return {
    ...rest,
    run: plan,
    ledger: { ...ledger, packets: 0 },
    devices: devices.map(({ firstSeen: _5, lastSeen: _6, ...device }) => device),
  };
}
