import { classOf } from '../cells.ts';
import type { Entry } from '../table.ts';

/** What a system knows of one side of a device: of its own network cards, or of those of the controller in it. */
export interface Side {
  readonly addresses: readonly string[];
  readonly macs: readonly string[];
  readonly names: readonly string[];
}

/** A device of a system that keeps a server and its controller as one. */
export interface TwoSided {
  /** All but its network: by heading. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly name: string | undefined;
  /** Its kind, in the words of the system. */
  readonly kind: string | undefined;
  readonly own: Side;
  readonly management: Side;
  /** Whether the management side surely is a controller, and not just a port of its own for management. */
  readonly isController: boolean;
}

/** What belongs to the hardware, and is what a controller tells of it. */
const OF_THE_BOARD = ['serial', 'uuid'];

/**
 * The records of a device: one, or where it has a management side of its own, one for either. Each address is in one record. The numbers of the hardware
 * go to the management side, because it is the controller that tells them. A device that is itself remote-access hardware stays one.
 */
export function recordsOf(device: TwoSided, row: Omit<Entry, 'values'>): Entry[] {
  const { values, name, kind, own, management, isController } = device;
  const kindText = kind === undefined ? {} : { class: [kind] };
  const label = name === undefined ? {} : { name: [name] };
  const isOurs = kind !== undefined && classOf(kind) !== undefined;
  if (isOurs || isEmpty(management))
    return [{ ...row, values: { ...values, ...label, ...kindText, ...sideValues(joined(own, management)) } }];
  const controller: Entry = {
    ...row,
    values: {
      ...values,
      ...(name === undefined ? {} : { name: [`${name} (management)`] }),
      ...(isController ? { class: ['bmc'] } : {}),
      ...sideValues(management),
    },
  };
  if (isEmpty(own)) return [controller];
  const rest = Object.fromEntries(Object.entries(values).filter(([heading]) => !OF_THE_BOARD.includes(heading)));
  // Of its own, so that each record has a source that is its own.
  const source = { ...row.source };
  return [controller, { ...row, source, computer: true, values: { ...rest, ...label, ...kindText, ...sideValues(own) } }];
}

function isEmpty({ addresses, macs }: Side): boolean {
  return addresses.length === 0 && macs.length === 0;
}

function joined(a: Side, b: Side): Side {
  return { addresses: [...a.addresses, ...b.addresses], macs: [...a.macs, ...b.macs], names: [...a.names, ...b.names] };
}

function sideValues({ addresses, macs, names }: Side): Record<string, readonly string[]> {
  return { address: [...new Set(addresses)], mac: [...new Set(macs)], host: [...new Set(names)] };
}
