import { hostname } from 'node:os';
import { devicesAt } from '../devices/from-host.ts';
import { deviceName } from '../devices/device.ts';
import { InputError, inputError, type Problem } from '../errors.ts';
import { byEndpoint, type Observation } from '../observations/observation.ts';
import { USB_LIST, usbList } from '../observations/evidence/sysfs.ts';
import { jsonDocument } from '../outputs/json.ts';
import { type Column, table } from '../outputs/table.ts';
import { type Expected, expectedOfGreetings, expectedOfPings, expectedOfUsb, LEAST_HOSTS, type VncRule } from '../scan/expected.ts';
import { readGreetings, sendPings, type Signal } from '../scan/validate.ts';
import { AuditFile, NO_AUDIT } from '../sweep/audit.ts';
import type { AddressNumber } from '../targets/addresses.ts';
import { Guard } from '../targets/guard.ts';
import { HostSet } from '../targets/hosts.ts';
import { printable } from '../text.ts';
import { loadKnowledge } from './knowledge.ts';
import { terminalColumns } from './options.ts';
import { readHosts, refusedBy } from './targets.ts';

/** What the steps that talk to hosts were told. */
export interface ValidateCommandOptions {
  readonly audit?: string;
  readonly allowPublic?: boolean;
  readonly rule?: VncRule;
  readonly format: 'table' | 'json';
}

/** Enough for any rule, and too few to be a sweep. */
const MAX_HOSTS = 64;

/** `kvmsweep validate ipmi`. @throws {InputError} */
export async function validateIpmi(words: readonly string[], options: ValidateCommandOptions): Promise<void> {
  const signals = await withHosts(words, options, 1, sendPings);
  print({ signals, expected: expectedOfPings(signals) }, options);
}

/** `kvmsweep validate vnc`. @throws {InputError} */
export async function validateVnc(words: readonly string[], options: ValidateCommandOptions): Promise<void> {
  const { rule = 'vnc-fan-out' } = options;
  const signals = await withHosts(words, options, LEAST_HOSTS[rule], readGreetings);
  print({ signals, expected: expectedOfGreetings(signals, rule) }, options);
}

/** Does something to the hosts that were named, as a sweep would: within the guard, and on the audit record. */
async function withHosts(
  words: readonly string[],
  { allowPublic = false, audit: file }: ValidateCommandOptions,
  least: number,
  work: (hosts: readonly AddressNumber[], options: { guard: Guard; audit: AuditFile | typeof NO_AUDIT }) => Promise<Signal[]>,
): Promise<Signal[]> {
  const guard = Guard.fromEnvironment({ allowPublic });
  const problems: Problem[] = [];
  const wanted = await readHosts(words, [], problems, (text) => void process.stderr.write(`${text}\n`));
  const hosts = new HostSet(
    wanted.ranges.map(({ range }) => range),
    wanted.names,
  );
  problems.push(...refusedBy(guard, hosts, wanted));
  if (problems.length > 0) throw new InputError(problems);
  if (hosts.count > MAX_HOSTS) throw inputError('too-many-hosts', { hosts: hosts.count, most: MAX_HOSTS });
  if (hosts.count < least) throw inputError('too-few-hosts', { hosts: hosts.count, least });
  const audit = file === undefined ? NO_AUDIT : new AuditFile(file);
  try {
    return await work([...hosts], { guard, audit });
  } finally {
    audit.close();
  }
}

const SIGNALS: readonly Column<Signal>[] = [
  { title: 'TIME', of: ({ at }) => at },
  { title: 'FROM', of: ({ from }) => from ?? 'no route' },
  { title: 'TO', of: ({ host }) => host },
  { title: 'PORT', of: ({ port, transport }) => `${port}/${transport}` },
  { title: 'SENT', of: ({ sent }) => sent, wraps: true },
  {
    title: 'OUTCOME',
    of: ({ outcome }) => outcome,
    style: ({ outcome }) => (outcome === 'answered' ? 'green' : 'yellow'),
  },
  { title: 'ANSWER', of: ({ answer = '', ms }) => (answer === '' ? '' : `${answer} (${ms} ms)`), wraps: true },
];

function print(
  result: { readonly signals: readonly Signal[]; readonly expected: readonly Expected[] },
  { format }: ValidateCommandOptions,
): void {
  if (format === 'json') process.stdout.write(jsonDocument(result));
  else process.stdout.write(`${table(result.signals, SIGNALS, { columns: terminalColumns() })}\n\n${expectedText(result.expected)}\n`);
}

/** What should be seen now, in words. */
function expectedText(expected: readonly Expected[]): string {
  return expected
    .flatMap(({ rule, table: where, fields, provided, besides }) => [
      `The rule "${rule}" should fire`,
      `  in    ${where}`,
      ...Object.entries(fields).map(([name, value], at) => `  ${at === 0 ? 'with' : '    '}  ${name}: ${printable(value)}`),
      ...provided.map((text, at) => `  ${at === 0 ? 'if' : '  '}    ${text}`),
      ...besides.map((text, at) => `  ${at === 0 ? 'also' : '    '}  ${text}`),
    ])
    .join('\n');
}

/** How other systems list their USB devices, to be read with `kvmsweep evidence`. */
const COMMANDS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  win32:
    'Get-PnpDevice -PresentOnly | Select-Object Status,Present,Class,FriendlyName,InstanceId,Manufacturer,SystemName | ConvertTo-Json | kvmsweep evidence -',
  darwin: 'system_profiler -json SPUSBDataType SPUSBHostDataType SPDisplaysDataType SPSoftwareDataType | kvmsweep evidence -',
};

/** `kvmsweep validate usb`. */
export function validateUsb({ format }: Pick<ValidateCommandOptions, 'format'>): void {
  const list = usbList();
  const computer = hostname();
  const observations = (list ?? []).map(({ part, probe, facts }): Observation => ({
    v: 1,
    kind: 'observation',
    host: computer,
    part,
    probe,
    outcome: 'answered',
    facts,
  }));
  const devices = observations.length === 0 ? [] : devicesAt(computer, byEndpoint(observations), loadKnowledge().matcher, new Date());
  const expected = expectedOfUsb();
  if (format === 'json') {
    process.stdout.write(
      jsonDocument({
        computer,
        ...(list === undefined ? {} : { usb: list.map(({ part, facts }) => ({ part, ...facts })) }),
        devices: devices.map((device) => ({
          name: deviceName(device),
          level: device.level,
          certainty: device.certainty,
          evidence: device.evidence,
        })),
        expected,
      }),
    );
    return;
  }
  const lines = [expectedText(expected), ''];
  if (list === undefined) lines.push(`${computer} has no list of USB devices at ${USB_LIST}.`);
  else {
    const rows = list.map(({ facts }) => ({
      id: `VID_${asText(facts['usb.vid']).toUpperCase()}&PID_${asText(facts['usb.pid']).toUpperCase()}`,
      name: [asText(facts['usb.manufacturer']), asText(facts['usb.product'])].filter((part) => part !== '').join(' '),
      serial: asText(facts['usb.serial']),
    }));
    lines.push(
      list.length === 0 ? `No USB device is attached to ${computer} now.` : `Attached to ${computer} now, by ${USB_LIST}:`,
      ...(rows.length === 0
        ? []
        : [
            table(
              rows,
              [
                { title: 'ID', of: ({ id }) => id },
                { title: 'NAME', of: ({ name }) => name, max: 50 },
                { title: 'SERIAL', of: ({ serial }) => serial, max: 30 },
              ],
              { columns: terminalColumns() },
            ),
          ]),
      '',
      devices.length === 0
        ? 'None of them is a KVM that a fingerprint names.'
        : `A KVM is among them: ${devices.map((device) => `${printable(deviceName(device))} (${device.level}, ${device.certainty} of 100)`).join(', ')}.`,
    );
  }
  const { [process.platform]: own } = COMMANDS;
  lines.push(
    '',
    'On the computer that a KVM is plugged into, this says what it lists. It sends nothing and changes nothing:',
    ...(own === undefined ? Object.values(COMMANDS) : [own]).map((command) => `  ${command}`),
  );
  process.stdout.write(`${lines.join('\n')}\n`);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
