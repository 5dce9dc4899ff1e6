import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { dataPath } from '../data.ts';
import type { Placement } from './fleet.ts';

/** What the demo sweeps. */
export const DEMO_TARGETS = '127.77.0.0/24';

const DAY_MS = 24 * 60 * 60 * 1000;

const DemoPlacements = z.array(
  z.strictObject({ address: z.ipv4(), persona: z.string(), parameters: z.record(z.string(), z.string()).optional() }),
);

/** The devices of `kvmsweep demo` (`data/fleet/demo.yaml`). */
export function demoPlacements(): Placement[] {
  return DemoPlacements.parse(read('fleet/demo.yaml')).map(({ address, persona, parameters }) => ({
    address,
    persona,
    ...(parameters === undefined ? {} : { parameters }),
  }));
}

/**
 * The approved list of the demo as CSV (`data/fleet/demo-approved.csv`). Its dates are told from `now`, so that the one
 * that is about to run out always is.
 */
export function demoApproved(now = new Date()): string {
  const text = readFileSync(dataPath('fleet/demo-approved.csv'), 'utf8');
  return text.replace(/\{\{today([+-]\d+)\}\}/g, (_, days: string) =>
    new Date(now.getTime() + Number(days) * DAY_MS).toISOString().slice(0, 10),
  );
}

const DemoTruth = z.strictObject({
  rows: z.array(z.strictObject({ assetTag: z.string(), state: z.string(), why: z.string() })),
  unapproved: z.array(z.strictObject({ address: z.ipv4(), why: z.string() })),
  /** Answers that must not become a finding. */
  quiet: z.array(z.strictObject({ address: z.ipv4(), why: z.string() })),
});
export type DemoTruth = z.infer<typeof DemoTruth>;

/** What reconciling the demo is meant to give, row by row and for each address without one (`data/fleet/demo-truth.yaml`). */
export function demoTruth(): DemoTruth {
  return DemoTruth.parse(read('fleet/demo-truth.yaml'));
}

function read(name: string): unknown {
  return parse(readFileSync(dataPath(name), 'utf8'));
}
