import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Finished, Running, Scanner } from '../../tests/real/lab.ts';

/** What a command, or several one after the other, took. */
export interface Effort {
  readonly seconds: number;
  /** Of all processors together, the kernel's work for it included. */
  readonly cpuSeconds: number;
  /** That left by the scanner's link, by the link's own count. */
  readonly packets: number;
  /** Of these the SYNs that the kernel sent again by itself, after a second: only where the program was held up. */
  readonly kernelRepeats: number;
  readonly peakMb: number;
}

export interface Measured extends Effort {
  readonly finished: Finished;
}

/** Starts a command and measures it. @param scanner where it runs @param start starts it */
export async function measure(scanner: Scanner, start: () => Running): Promise<Measured> {
  const [packets, repeats, cpu] = [packetsSent(scanner), synRepeats(scanner), cpuOfChildren()];
  const running = start();
  let peakMb = 0;
  const sampler = setInterval(() => {
    peakMb = Math.max(peakMb, residentPeakMb(running.process.pid));
  }, 50);
  const finished = await running.finished;
  clearInterval(sampler);
  const cpuSeconds = cpuOfChildren() - cpu;
  return {
    finished,
    seconds: finished.seconds,
    cpuSeconds,
    packets: packetsSent(scanner) - packets,
    kernelRepeats: synRepeats(scanner) - repeats,
    peakMb,
  };
}

/** Commands that were run one after the other, as one. */
export function together(efforts: readonly Effort[]): Effort {
  return {
    seconds: sum(efforts.map(({ seconds }) => seconds)),
    cpuSeconds: sum(efforts.map(({ cpuSeconds }) => cpuSeconds)),
    packets: sum(efforts.map(({ packets }) => packets)),
    kernelRepeats: sum(efforts.map(({ kernelRepeats }) => kernelRepeats)),
    peakMb: Math.max(...efforts.map(({ peakMb }) => peakMb)),
  };
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Kept by the kernel for the link, whoever sent them and by whatever kind of socket. */
export function packetsSent({ namespace }: Scanner): number {
  const { stdout } = spawnSync('ip', ['-n', namespace, '-s', '-j', 'link', 'show', 'sc0'], { encoding: 'utf8' });
  return (JSON.parse(stdout) as { stats64: { tx: { packets: number } } }[])[0]?.stats64.tx.packets ?? Number.NaN;
}

/** SYNs that the kernel of a namespace has sent again (proc(5), /proc/net/netstat: `TCPSynRetrans`). */
function synRepeats({ namespace }: Scanner): number {
  const { stdout } = spawnSync('ip', ['netns', 'exec', namespace, 'cat', '/proc/net/netstat'], { encoding: 'utf8' });
  const [names = [], values = []] = stdout
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('TCPSynRetrans')]);
}

/** Seconds of all children of this process that have ended, with theirs (proc(5), /proc/pid/stat: cutime and cstime, in hundredths). */
function cpuOfChildren(): number {
  const text = readFileSync('/proc/self/stat', 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** The most that a process has had resident; 0 where it is gone. */
function residentPeakMb(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
