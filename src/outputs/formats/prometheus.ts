import type { Inventory } from '../../inventory/schema.ts';
import type { Finding } from '../../reconcile/index.ts';
import { CLASSES, STATES } from '../../vocabulary.ts';
import { takenAt } from './devices.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

/** A gauge; every combination of labels that an alert may ask for has a sample, at 0 too, so that none goes missing when the last device does. */
interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/**
 * A file for the textfile collector of node_exporter. Labels are of our own words only: an address or a name as a label would make a series of its own
 * for each device.
 *
 * Source: Prometheus, "Exposition formats"; prometheus/node_exporter, "Textfile Collector" (whole files, by renaming, without timestamps).
 */
export const prometheus: TextFormat = {
  id: 'prometheus',
  summary: SUMMARIES.prometheus,
  isPublic: true,
  text: ({ inventory, findings }) => ({
    text: gaugesOf(inventory, findings)
      .filter(({ samples }) => samples.length > 0)
      .map(
        ({ name, help, samples }) =>
          `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${samples.map(({ labels = {}, value }) => `${name}${labelsText(labels)} ${value}\n`).join('')}`,
      )
      .join(''),
    notes: [],
  }),
};

function gaugesOf(inventory: Inventory, findings: readonly Finding[] | undefined): Gauge[] {
  const { devices, run, asked, ledger, completeness } = inventory;
  const at = takenAt(inventory);
  return [
    {
      name: 'kvmsweep_devices',
      help: 'Devices in the inventory, by class.',
      samples: CLASSES.map((kind) => ({ labels: { class: kind }, value: devices.filter((device) => device.class === kind).length })),
    },
    {
      name: 'kvmsweep_findings',
      help: 'Findings of holding the inventory against approved assets, by state.',
      samples:
        findings === undefined
          ? []
          : STATES.map((state) => ({ labels: { state }, value: findings.filter((finding) => finding.state === state).length })),
    },
    {
      name: 'kvmsweep_endpoints',
      help: 'Endpoints that were asked, by what became of it.',
      samples:
        ledger === undefined
          ? []
          : (['answered', 'refused', 'silent', 'unreachable', 'givenUp', 'lost'] as const).map((outcome) => ({
              labels: { outcome: outcome === 'givenUp' ? 'given-up' : outcome },
              value: ledger.total[outcome],
            })),
    },
    { name: 'kvmsweep_targets', help: 'Addresses that the sweep was told to ask.', samples: one(asked?.hosts) },
    { name: 'kvmsweep_living_addresses', help: 'Addresses from which anything came back.', samples: one(ledger?.alive) },
    {
      name: 'kvmsweep_scan_complete',
      help: '1 where nothing of our own may have cost results.',
      samples: one(completeness.complete ? 1 : 0),
    },
    {
      name: 'kvmsweep_last_scan_timestamp_seconds',
      help: 'When the inventory was taken.',
      samples: one(at === undefined ? undefined : at / 1000),
    },
    {
      name: 'kvmsweep_scan_duration_seconds',
      help: 'How long the sweep took.',
      samples: one(run?.endedAt === undefined ? undefined : (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000),
    },
  ];
}

function one(value: number | undefined): Gauge['samples'] {
  return value === undefined ? [] : [{ value }];
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels);
  return entries.length === 0 ? '' : `{${entries.map(([name, value]) => `${name}="${value}"`).join(',')}}`;
}
