import { type Command, Option } from 'commander';
import { COVERAGES } from '../sweep/coverage.ts';
import { RATE_PER_24, RATES } from '../sweep/rates.ts';
import { ALSO } from '../targets/also.ts';
import { DEFAULT_PORTS } from '../targets/ports.ts';
import { collect, duration, FORMATS, PROGRESS_FORMS, shard, timeWindow, wholeNumber } from './options.ts';
import type { ScanCommandOptions } from './run-scan.ts';
import { approvedOption, dateFormatOption, mapOption } from './approved-options.ts';

export function register(program: Command): void {
  program
    .command('scan')
    .summary('sweep a network, identify what answers, write an inventory')
    .description(
      'Sweeps addresses for remote-access hardware, identifies what answers and writes an inventory, with its journal beside it.\nNeeds no privilege. Sends nothing but what `kvmsweep explain --wire` shows.',
    )
    .argument(
      '[targets...]',
      'addresses, blocks (10.0.0.0/24), ranges (10.0.0.5-20, 10.0.0.5-10.0.1.9), IPv6 up to a /112, fe80::1%eth0, names, @FILE, - for standard input',
    )
    .option(
      '-i, --input-list <file>',
      'read targets from a file (also -iL): a list (# begins a comment), a CSV table, or what nmap or masscan found: then only the ports that it names are asked',
      collect,
    )
    .option('--neighbours', "sweep whom this machine's neighbour table holds, IPv4 and IPv6, link-local ones included")
    .option('--exclude <targets>', 'leave these out (same forms)', collect)
    .option('--exclude-file <file>', 'leave out what is in this file', collect)
    .option(
      '-p, --ports <ports>',
      'default, wide, or ports in nmap form, with a protocol for odd ones: 8443=https,1623/udp=ipmi; list shows them all and what they cost',
      DEFAULT_PORTS,
    )
    .addOption(
      new Option('--also <channels>', `opt into these: ${Object.keys(ALSO).join(',')} (below: what each sends)`)
        .argParser(collect)
        .conflicts('resume'),
    )
    .option('-o, --output <file>', 'the inventory (default: kvmsweep-<time>.json here)')
    .option('--journal <file>', 'the journal (default: beside the inventory, .ndjson)')
    .addOption(approvedOption('reconcile with this approved list'))
    .addOption(mapOption())
    .addOption(dateFormatOption())
    .option('--policy <file>', 'say what is in a network where this policy does not let it be (YAML, docs/reconcile.md)')
    .option('--findings <file>', 'write the findings there, in the form of its name: .csv, .md, .json, .ndjson')
    .option('--fail-on <states>', 'exit with 1 on these findings: unapproved,impostor,… or severity>=high')
    .option('--previous <file>', 'carry device keys on from this inventory (default: the newest beside the output)')
    .addOption(
      new Option('--rate <packets>', `packets a second, over everything (default: ${RATES.normal})`)
        .argParser(wholeNumber(1, 100_000))
        .conflicts(['polite', 'fast']),
    )
    .option('--rate-per-24 <packets>', `packets a second to one /24 (default: ${RATE_PER_24})`, wholeNumber(1, 100_000))
    .addOption(new Option('--polite', `${RATES.polite} packets a second: for fragile networks`).conflicts('fast'))
    .option('--fast', `${RATES.fast.toLocaleString('en')} packets a second: fills the state table of a firewall on the way`)
    .option('--retries <number>', 'passes after the first', wholeNumber(0, 3), 1)
    .addOption(
      new Option(
        '--coverage <what>',
        'auto: every port of every address, silent addresses again up to 4,096 of them; full: again however many; life: 80, 443, 5900, 8443 and UDP of every address, the rest where there is a sign of life',
      )
        .choices(COVERAGES)
        .default('auto'),
    )
    .addOption(new Option('--host-timeout <time>', 'talk to one device for so long at most').argParser(duration).default(60_000, '60s'))
    .addOption(
      new Option(
        '--window <times>',
        'send nothing new outside of these times, by the clock of this machine: 22:00-05:00; or "Mon-Fri 22:00-05:00 Europe/Berlin"',
      )
        .argParser(timeWindow)
        .conflicts('resume'),
    )
    .addOption(
      new Option(
        '--shard <part/of>',
        'sweep one part of several, for several machines: 3/16 is the third of sixteen; identify puts their journals together',
      )
        .argParser(shard)
        .conflicts('resume'),
    )
    .option('--seed <number>', 'order of the sweep, for repeating one', wholeNumber(0, 2 ** 32 - 1))
    .addOption(
      new Option('--dry-run', 'say what would be sent and how long it would take, and send nothing (names are resolved)').conflicts(
        'resume',
      ),
    )
    .option('--resume <journal>', 'continue an interrupted sweep; no targets are given')
    .option('--snmp-community <text>', 'read SNMP v2c agents with this community (more than one: repeat; see docs/snmp.md)', collect)
    .option('--snmp-user <user>', 'read SNMPv3 agents as this user: name=NAME,auth=sha:KEY,privacy=aes:KEY', collect)
    .option('--snmp-credentials <file>', 'communities and users from a YAML file, which only you should be able to read')
    .option('--audit <file>', 'log every connection and every byte that is sent')
    .option('--allow-public', 'sweep public addresses too: yours, that is')
    .option('--fingerprints <folder>', 'add or override fingerprints with your own')
    .option('--allow-path <path>', 'let your own fingerprints ask for this path', collect)
    .addOption(new Option('--format <format>', 'what goes to standard output').choices(FORMATS).default('table'))
    .option('--all', 'list software that only looks like hardware too (VNC servers)')
    .addOption(
      new Option('--progress <form>', 'line: one that is rewritten, on a terminal; json: an object a second on standard error')
        .choices(PROGRESS_FORMS)
        .default('line'),
    )
    .option('-q, --quiet', 'no progress, no notes')
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep scan 10.20.0.0/24
  kvmsweep scan 10.20.0.0/16 --exclude 10.20.99.0/24 --approved approved.csv --fail-on unapproved,impostor
  kvmsweep scan -iL subnets.txt -p default,9443=https -o monday.json
  kvmsweep scan -iL nmap.xml -o monday.json
  kvmsweep scan -p list
  kvmsweep scan 10.20.0.0/24 --snmp-credentials snmp.yaml
  kvmsweep scan --resume kvmsweep-2026-11-22T20-00-00Z.ndjson

Opt-in channels (--also netbios,dns …), asked of addresses that have shown a sign of life:
${Object.entries(ALSO)
  .map(([name, sends]) => `  ${name.padEnd(10)}${sends}`)
  .join('\n')}
Each but dns adds two to the twelve datagrams that a device gets at most.

Ctrl-C ends with a valid inventory that is marked as partial.
Others on this machine can see the words of a command: give secrets in a file, or as KVMSWEEP_SNMP_COMMUNITY and KVMSWEEP_SNMP_CREDENTIALS (a path).`,
    )
    .action(async (targets: string[], options: ScanCommandOptions) => {
      if (options.ports === 'list') {
        const [{ portsText }, { udpProbes }, { terminalColumns }] = await Promise.all([
          import('../outputs/ports.ts'),
          import('../probes/index.ts'),
          import('./options.ts'),
        ]);
        process.stdout.write(portsText(udpProbes, terminalColumns()));
        return;
      }
      // Sockets of a sweep live as long as a time-out, too long for the young generation: what becomes of them is looked at before it is as much as all else.
      const { setFlagsFromString } = await import('node:v8');
      for (const flag of ['--semi-space-growth-factor=1', '--heap-growing-percent=100']) setFlagsFromString(flag);
      const { runScan } = await import('./run-scan.ts');
      process.exitCode = await runScan(targets, options);
    });
}
