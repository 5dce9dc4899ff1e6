import type { Signal } from './validate.ts';

/** What a detection rule should make of a signal. */
export interface Expected {
  /** The rule's name in the query pack (`data/sentinel/rules/`). */
  readonly rule: string;
  /** The table that it reads, and who fills it. */
  readonly table: string;
  /** Columns of the events that it should find. */
  readonly fields: Readonly<Record<string, string>>;
  /** What must hold besides, so that it fires. */
  readonly provided: readonly string[];
  /** What else this computer may log, which no rule needs. */
  readonly besides: readonly string[];
}

const PROGRAM = process.platform === 'win32' ? 'node.exe' : 'node';

/** When the events of the signals are from. */
function times(signals: readonly Signal[]): string {
  const [first = ''] = signals.map(({ at }) => at).toSorted();
  return `from ${first} on, for a minute`;
}

function list(values: readonly (string | undefined)[]): string {
  return [...new Set(values)].filter((one) => one !== undefined).join(', ');
}

function hostStep(command: string, protocol: string, port: number): string[] {
  return [
    `Sysmon 1: Image ends with ${PROGRAM}, CommandLine holds "${command}"`,
    `Sysmon 3, where it is set up to record ${PROGRAM}: Protocol ${protocol}, DestinationPort ${port}, once for each host`,
  ];
}

export function expectedOfPings(signals: readonly Signal[]): Expected[] {
  return [
    {
      rule: 'IPMI from outside the admin networks',
      table:
        '_Im_NetworkSession: firewalls and flow logs between this computer and the hosts (Defender for Endpoint records UDP in part only)',
      fields: {
        TimeGenerated: times(signals),
        SrcIpAddr: list(signals.map(({ from }) => from)),
        DstIpAddr: list(signals.map(({ host }) => host)),
        DstPortNumber: '623',
        NetworkProtocol: 'UDP',
      },
      provided: [
        'SrcIpAddr is in no network of the watchlist KvmAdminSubnets, which has at least one row',
        'SrcIpAddr is not in the watchlist KvmScanners',
        'a firewall or flow log stands on the way: on one segment nothing sees it',
      ],
      besides: hostStep('validate ipmi', 'udp', 623),
    },
  ];
}

export function expectedOfGreetings(signals: readonly Signal[], rule: VncRule): Expected[] {
  const fields = {
    TimeGenerated: times(signals),
    ActionType: 'ConnectionSuccess where a host answered; ConnectionFailed, ConnectionAttempt where it did not',
    LocalIP: list(signals.map(({ from }) => from)),
    RemoteIP: list(signals.map(({ host }) => host)),
    RemotePort: '5900',
    Protocol: 'Tcp',
    InitiatingProcessFileName: PROGRAM,
  };
  const table = 'DeviceNetworkEvents: Defender for Endpoint on this computer';
  const scanner = 'LocalIP is not in the watchlist KvmScanners';
  const besides = hostStep('validate vnc', 'tcp', 5900);
  return rule === 'vnc-fan-out'
    ? [
        {
          rule: 'One computer tries VNC on many others',
          table,
          fields,
          provided: ['five or more of RemoteIP are inside addresses; failed attempts count', scanner],
          besides,
        },
      ]
    : [
        {
          rule: 'Connection to an unapproved remote-access device',
          table,
          fields,
          provided: ['RemoteIP is in the watchlist KvmDevices with State unapproved, and answers', scanner],
          besides,
        },
      ];
}

/** Rules that a VNC connection makes fire, by their files in the query pack. */
export const VNC_RULES = ['vnc-fan-out', 'connection-to-unapproved-device'] as const;
export type VncRule = (typeof VNC_RULES)[number];
/** Addresses that a rule needs within fifteen minutes. */
export const LEAST_HOSTS: Readonly<Record<VncRule, number>> = { 'vnc-fan-out': 5, 'connection-to-unapproved-device': 1 };

export function expectedOfUsb(): Expected[] {
  return [
    {
      rule: 'KVM attached to a computer',
      table: 'DeviceEvents: Defender for Endpoint on Windows',
      fields: {
        ActionType: 'PnpDeviceConnected',
        'AdditionalFields.DeviceId': String.raw`USB\VID_xxxx&PID_xxxx\… of the keyboard gadget, DISPLAY\MMMxxxx\… of the display that it pretends to be, or USBSTOR\…&VEN_… of its virtual drive`,
        'AdditionalFields.ClassName': 'Keyboard, Mouse, Monitor, DiskDrive …',
        DeviceName: 'the computer',
      },
      provided: [
        'the KVM is plugged in now: unplug it from the computer and plug it in again, because the event comes only then',
        'the id is in the watchlist KvmUsbIds',
      ],
      besides: ['Security 6416 (a new external device was recognised), where Audit PNP Activity is on: the same id as DeviceId'],
    },
  ];
}
