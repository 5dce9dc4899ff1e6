import { z } from 'zod';
import type { Device } from '../devices/device.ts';
import { COVERAGES } from '../sweep/coverage.ts';
import { CLASSES, IDENTIFIER_KINDS, type Level, POSTURES, TRANSPORTS } from '../vocabulary.ts';

/** Raised when a reader of old files could misread a new one. */
export const SCHEMA_VERSION = 1;

const Text = z.string().min(1);
const Time = z.iso.datetime();
const LEVEL_NAMES = ['certain', 'likely', 'possible'] as const satisfies readonly Level[];
const Count = z.number().int().min(0);

const PortLedgerSchema = z.strictObject({
  planned: Count,
  asked: Count,
  skipped: z.record(z.string(), Count),
  answered: Count,
  refused: Count,
  silent: Count,
  unreachable: Count,
  givenUp: Count,
  lost: Count,
});

export const LedgerSchema = z.strictObject({
  ports: z.record(z.string(), PortLedgerSchema).describe('by 443/tcp'),
  total: PortLedgerSchema.describe('planned = asked + skipped; asked = answered + refused + silent + unreachable + givenUp + lost'),
  packets: z.strictObject({ tcp: Count, udp: Count }).describe('SYNs and datagrams of the sweep, retries included'),
  alive: Count.describe('addresses from which anything came back'),
  stray: Count.describe('datagrams that answered nothing we asked'),
});

export const DeviceSchema = z
  .strictObject({
    deviceKey: Text,
    class: z.enum(CLASSES),
    vendor: Text.exactOptional(),
    product: Text.exactOptional(),
    generation: Text.exactOptional(),
    model: Text.exactOptional(),
    version: Text.exactOptional(),
    serial: Text.exactOptional(),
    hostname: Text.exactOptional(),
    macVendor: Text.exactOptional().describe('maker of the network card, by the block of its MAC address'),
    certainty: z.number().int().min(0).max(100),
    level: z.enum(LEVEL_NAMES),
    base: Text.exactOptional(),
    addresses: z.array(Text).describe('where it answers; empty for what is known only from the computers that it is attached to'),
    attachedTo: z
      .array(
        z.strictObject({
          computer: Text,
          present: z.boolean().describe('false: it was attached before, and is not any more'),
          at: Time.exactOptional().describe('the latest time that the export tells of it'),
        }),
      )
      .min(1)
      .exactOptional()
      .describe('computers that list it among their USB devices and displays'),
    identifiers: z.array(z.strictObject({ kind: z.enum(IDENTIFIER_KINDS), value: Text, from: Text })),
    endpoints: z.array(z.strictObject({ host: Text, port: z.number().int(), transport: z.enum(TRANSPORTS), probe: Text })),
    evidence: z.array(
      z.strictObject({ fingerprint: Text, rule: Text, fact: Text, text: z.string(), certainty: z.number().int(), endpoint: Text }),
    ),
    alternatives: z.array(
      z.strictObject({
        fingerprint: Text,
        vendor: Text.exactOptional(),
        product: Text.exactOptional(),
        class: z.enum(CLASSES),
        certainty: z.number().int(),
      }),
    ),
    posture: z.array(z.enum(POSTURES)),
    firstSeen: Time.exactOptional(),
    lastSeen: Time.exactOptional(),
  })
  .refine(({ addresses, attachedTo = [] }) => addresses.length + attachedTo.length > 0, {
    path: ['addresses'],
    message: 'it has no address, and is attached to no computer',
  });

export const InventorySchema = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  tool: z.strictObject({
    name: z.literal('kvmsweep'),
    version: Text,
    fingerprints: Text.describe('hash of the set that named the devices'),
    ownFingerprints: z
      .strictObject({ added: z.array(Text), replaced: z.array(Text) })
      .exactOptional()
      .describe('ids of definitions that the operator gave beside those of the tool, and instead of them; absent where none was given'),
  }),
  run: z
    .strictObject({
      arguments: z.array(z.string()).describe('as typed, secrets removed'),
      startedAt: Time,
      endedAt: Time.exactOptional(),
      resumedAt: z.array(Time).exactOptional(),
      sourceAddresses: z.array(Text),
      seed: z.number().int(),
      rate: z.number(),
      ratePerNetwork: z.number(),
      retries: z.number().int(),
      coverage: z
        .enum(COVERAGES)
        .exactOptional()
        .describe('what was asked of every address, and how often of silent ones; auto where it is absent'),
    })
    .exactOptional()
    .describe('absent where the observations come from no sweep of ours'),
  asked: z
    .strictObject({
      hosts: Count,
      ranges: z.array(Text).describe('first-last, or one address'),
      shard: Text.exactOptional().describe('3/16: of every 16 addresses of the ranges the third was asked; absent where all were'),
      names: z.record(z.string(), Text).describe('address to the name that was given for it'),
      ports: z.array(Text).describe('443/tcp=https'),
      also: z.array(Text).exactOptional().describe('channels that the operator opted into'),
      snmp: z
        .strictObject({ communities: Count, users: Count })
        .exactOptional()
        .describe('how many credentials were given for reading SNMP; absent where none was'),
    })
    .exactOptional(),
  completeness: z.strictObject({
    complete: z.boolean(),
    limitations: z.array(z.strictObject({ what: Text, text: Text })).describe('why it is not complete'),
    notes: z.array(Text).describe('how completely silent addresses were asked, and what else a reader should know'),
  }),
  ledger: LedgerSchema.exactOptional(),
  devices: z.array(DeviceSchema),
  unrecognised: z
    .array(z.strictObject({ host: Text, mac: Text.exactOptional(), macVendor: Text.exactOptional(), endpoints: z.array(Text) }))
    .describe('addresses that answered (at 443/tcp=https; at none, where only their MAC is known), and that no definition claims'),
});

/** The ids of an operator's own definitions: those beside the tool's, and those that replace one of the tool's. */
export type OwnFingerprints = NonNullable<z.infer<typeof InventorySchema>['tool']['ownFingerprints']>;

export type Inventory = Omit<z.infer<typeof InventorySchema>, 'devices'> & { readonly devices: readonly Device[] };
