import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { KVMSWEEP, Lab, type Profile, REAL, report } from './lab.ts';

const HOSTS: Readonly<Record<string, Profile>> = {
  '10.77.0.11': 'bmc',
  '10.77.0.44': 'vnc-auth',
  '10.77.0.77': 'tls13',
  '10.77.0.88': 'printer',
  ...Object.fromEntries(Array.from({ length: 10 }, (_, at): [string, Profile] => [`10.77.0.${at + 50}`, 'web'])),
};
/** In the first 64 addresses: the controller's three, the VNC server and the ten pages. */
const SERVICES = 3 + 1 + 10;

interface DiskCase {
  readonly name: string;
  readonly kilobytes: number;
  readonly targets: string;
  readonly observations: number;
}

describe('where this machine has too little', REAL, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: HOSTS });
  });
  afterAll(() => lab?.stop());

  test.for<DiskCase>([
    { name: 'a page that does not fit any more', kilobytes: 64, targets: '10.77.0.0/24', observations: 1 },
    { name: 'a checkpoint that does not fit any more', kilobytes: 12, targets: '10.77.1.0/24', observations: 0 },
  ])('a full disk ends the sweep with a message, and leaves a valid journal: $name', async ({ kilobytes, targets, observations }) => {
    const name = `disk${kilobytes}`;
    const words = ['scan', targets, '--journal', `small/${name}.ndjson`, '-o', `${name}.json`, '--seed', '1'];
    const { code, signal, stderr, seconds } = await lab.scanner.run(
      ['bash', '-c', '"$@"; code=$?; cp small/*.ndjson .; exit $code', 'bash', ...KVMSWEEP, ...words],
      {
        as: 'nobody',
        before: `mkdir -p small; mount -t tmpfs -o size=${kilobytes}k,uid=65534,gid=65534,mode=700 tmpfs small`,
      },
    );
    const file = join(lab.scanner.folder, `${name}.ndjson`);
    const text = readFileSync(file, 'utf8');
    report(
      `${kilobytes} KiB: exit ${code} after ${seconds.toFixed(1)} s with ${text.length} bytes in ${text.split('\n').length - 1} lines: ${stderr.trim().split('\n').at(-1)}`,
    );
    expect({ code, signal }).toEqual({ code: 2, signal: null });
    expect(stderr).toContain(`cannot write small/${name}.ndjson: the disk is full; what was found until then is in it and stays valid`);
    expect(stderr).not.toMatch(/\n\s+at |node:internal|Error:/);
    expect(text.length).toBeGreaterThan(kilobytes * 512);
    expect(text.endsWith('\n')).toBe(true);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string });
    expect(lines[0]).toMatchObject({ kind: 'run' });
    expect(lines.filter(({ kind }) => kind === 'observation').length).toBeGreaterThanOrEqual(observations);
    const identified = await lab.scanner.kvmsweep(['identify', `${name}.ndjson`, '-o', `${name}-again.json`]).finished;
    expect(identified.code).toBe(0);
    const { completeness } = lab.scanner.read(`${name}-again`).inventory;
    expect(completeness.complete).toBe(false);
    expect(completeness.limitations.map(({ what }) => what)).toEqual(['interrupted']);
  });

  test.for([
    { descriptors: 300, ports: '80,443,5000,5900,5901,8080,8443,8888,U:161,U:623' },
    { descriptors: 40, ports: '80,443,5900,U:161,U:623' },
  ])('$descriptors file descriptors: everything is found, or the sweep says that it is incomplete', async ({ descriptors, ports }) => {
    const name = `files${descriptors}`;
    const words = ['scan', '10.77.0.0/26', '-p', ports, '-o', `${name}.json`, '--seed', '1', '--fast'];
    const { code, stderr, seconds } = await lab.scanner.run(
      ['bash', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'bash', ...KVMSWEEP, ...words],
      { as: 'nobody' },
    );
    report(`${descriptors} descriptors: exit ${code} after ${seconds.toFixed(1)} s: ${stderr.trim().split('\n').slice(-6, -2).join('; ')}`);
    const { ledger, completeness } = lab.scanner.read(name).inventory;
    expect(ledgerErrors(ledger?.ports ?? {})).toEqual([]);
    if (completeness.complete) {
      expect(code).toBe(0);
      expect(ledger?.total).toMatchObject({ answered: SERVICES, lost: 0 });
      const told = lab.scanner.read(name).observations.filter(({ outcome }) => outcome === 'answered');
      expect(new Set(told.map(({ host, port }) => `${host} ${port}`)).size, 'what answered told something').toBe(SERVICES);
    } else {
      expect(code).toBe(3);
      expect(stderr).toContain('INCOMPLETE');
    }
  });
});
