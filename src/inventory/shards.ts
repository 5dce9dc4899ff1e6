import { inputError } from '../errors.ts';
import { type Ledger, sumPorts } from '../sweep/ledger.ts';
import { parseShard, type Shard } from '../targets/shard.ts';
import type { JournalPart, SweepPart } from './journal-part.ts';

interface ShardPart extends JournalPart {
  readonly shard: Shard;
  readonly sweep: SweepPart & { readonly asked: NonNullable<SweepPart['asked']>; readonly run: NonNullable<SweepPart['run']> };
}

/**
 * Puts what several journals tell of their sweeps together as one: the shards of one sweep, each once. Where some of them are missing, the whole is
 * incomplete. Files that tell of no sweep add nothing.
 * @throws {InputError} where they are no shards of one sweep
 */
export function togetherOf(parts: readonly JournalPart[]): SweepPart {
  const swept = parts.filter(({ sweep }) => sweep.run !== undefined);
  const [only] = swept;
  if (only === undefined) return (parts[0] as JournalPart).sweep;
  if (swept.length === 1) return only.sweep;
  const shards = swept.map(shardOf);
  const [first] = shards as [ShardPart, ...ShardPart[]];
  for (const [i, one] of shards.entries()) {
    const twin = shards.slice(0, i).find(({ shard }) => shard.part === one.shard.part);
    if (twin !== undefined) throw notTogether(one, `it is shard ${one.sweep.asked.shard}, and so is ${twin.file}`);
    if (planOf(one) !== planOf(first))
      throw notTogether(one, `it is of another sweep than ${first.file}: other addresses, ports, or number of shards`);
  }
  const { of } = first.shard;
  const there = new Set(shards.map(({ shard }) => shard.part));
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((part) => !there.has(part));
  const limitations = [
    ...shards.flatMap(({ sweep }) =>
      sweep.completeness.limitations.map(({ what, text }) => ({ what, text: `shard ${sweep.asked.shard}: ${text}` })),
    ),
    ...(missing.length === 0
      ? []
      : [
          {
            what: 'shards',
            text: `of ${of} shards ${missing.length} are missing: ${missing.slice(0, 20).join(', ')}${missing.length > 20 ? ' …' : ''}`,
          },
        ]),
  ];
  const runs = shards.map(({ sweep }) => sweep.run);
  const { shard: _shard, ...asked } = first.sweep.asked;
  const ends = runs.map(({ endedAt }) => endedAt);
  const ledgers = shards.flatMap(({ sweep }) => (sweep.ledger === undefined ? [] : [sweep.ledger]));
  return {
    run: {
      ...first.sweep.run,
      startedAt: runs.map(({ startedAt }) => startedAt).toSorted()[0] as string,
      ...(ends.every((end) => end !== undefined) ? { endedAt: ends.toSorted().at(-1) as string } : {}),
      sourceAddresses: [...new Set(runs.flatMap(({ sourceAddresses }) => sourceAddresses))].toSorted(),
      rate: runs.reduce((sum, { rate }) => sum + rate, 0),
      ratePerNetwork: runs.reduce((sum, { ratePerNetwork }) => sum + ratePerNetwork, 0),
    },
    asked: { ...asked, hosts: shards.reduce((sum, { sweep }) => sum + sweep.asked.hosts, 0) },
    ...(ledgers.length === 0 ? {} : { ledger: sumOf(ledgers) }),
    completeness: {
      complete: limitations.length === 0,
      limitations,
      notes: [
        ...new Set(shards.flatMap(({ sweep }) => sweep.completeness.notes.filter((note) => !note.startsWith('this is shard ')))),
        `put together from the journals of ${shards.length} shards of ${of}`,
      ],
    },
  };
}

function shardOf(part: JournalPart): ShardPart {
  const { asked, run } = part.sweep;
  const shard = asked?.shard === undefined ? undefined : parseShard(asked.shard);
  if (asked === undefined || run === undefined || shard === undefined) throw notTogether(part, 'it is no shard (scan --shard)');
  return { ...part, shard, sweep: { ...part.sweep, asked, run } };
}

/** What has to be the same in all shards of a sweep. */
function planOf({ shard: { of }, sweep: { asked } }: ShardPart): string {
  return JSON.stringify([of, asked.ranges, asked.ports, asked.also ?? []]);
}

function notTogether({ file }: JournalPart, reason: string): Error {
  return inputError('not-together', { file, reason });
}

function sumOf(ledgers: readonly Ledger[]): Ledger {
  const names = [...new Set(ledgers.flatMap(({ ports }) => Object.keys(ports)))];
  const ports = Object.fromEntries(names.map((name) => [name, sumPorts(ledgers.flatMap((ledger) => ledger.ports[name] ?? []))]));
  const sum = (of: (ledger: Ledger) => number): number => ledgers.reduce((all, ledger) => all + of(ledger), 0);
  return {
    ports,
    total: sumPorts(Object.values(ports)),
    packets: { tcp: sum(({ packets }) => packets.tcp), udp: sum(({ packets }) => packets.udp) },
    alive: sum(({ alive }) => alive),
    stray: sum(({ stray }) => stray),
  };
}
