import type { Command } from 'commander';
import { version } from '../data.ts';
import { InputError, problemText } from '../errors.ts';
import { withoutUnknownValues } from './arguments.ts';
import { EXIT } from './exit.ts';

/** A file of another kind is wrong in every line: nobody reads thousands of them. */
const MAX_PROBLEMS = 100;

/** Who reads our output may have seen enough (`| head`): then there is nobody to write to, and nothing wrong. */
function endWhereNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

/** Runs the command line. Each command's work is imported when it is asked for: `--help` should not wait for what it does not need. */
export async function main(argv: readonly string[]): Promise<void> {
  endWhereNobodyReads();
  // Asked often, by scripts: not worth loading a parser for.
  if (argv.length === 3 && (argv[2] === '--version' || argv[2] === '-V')) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const commander = await import('commander');
  const program = new commander.Command('kvmsweep')
    .description(
      'Finds the remote-access hardware on a network (IP-KVMs, BMCs, console servers), says what it is and how it knows,\nand holds it against what you approved. Read-only: it never logs in, guesses a credential or changes anything.',
    )
    .version(version(), '-V, --version')
    .showHelpAfterError('(kvmsweep --help shows how it is used)')
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({ outputError: (text, write) => write(withoutUnknownValues(text)) })
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep demo                                        a simulated fleet on this machine, swept and reconciled
  kvmsweep scan 10.20.0.0/24                           sweep a subnet, write an inventory
  kvmsweep scan 10.20.0.0/16 --approved approved.csv   the same, and say what nobody approved
  kvmsweep identify journal.ndjson                     today's fingerprints over yesterday's sweep
  kvmsweep evidence pnp.csv                            KVMs plugged into computers, by what those export
  kvmsweep explain --wire                              every byte that it can send

Exit codes: 0 done · 1 findings that --fail-on names · 2 usage or input error · 3 the sweep is incomplete · 130 interrupted`,
    );
  for (const register of await commands()) register(program);
  try {
    await program.parseAsync(argv.map((word) => (word === '-iL' ? '--input-list' : word)));
  } catch (error) {
    process.exitCode = error instanceof commander.CommanderError ? usageCode(error) : exitCodeOf(error);
  }
}

/** Each file registers its command, with its options and help; its work it imports itself. */
async function commands(): Promise<((program: Command) => void)[]> {
  const files = await Promise.all([
    import('./scan.ts'),
    import('./identify.ts'),
    import('./evidence.ts'),
    import('./import.ts'),
    import('./reconcile.ts'),
    import('./report.ts'),
    import('./diff.ts'),
    import('./export.ts'),
    import('./fingerprints.ts'),
    import('./explain.ts'),
    import('./validate.ts'),
    import('./demo.ts'),
  ]);
  return files.map(({ register }) => register);
}

/** Of help and version asked for, and of words that the parser did not understand and has said so. */
function usageCode({ exitCode }: { readonly exitCode: number }): number {
  return exitCode === 0 ? EXIT.done : EXIT.usage;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof InputError) {
    const shown = error.problems.slice(0, MAX_PROBLEMS).map(problemText);
    const more = error.problems.length - shown.length;
    process.stderr.write(`${[...shown, ...(more > 0 ? [`… and ${more.toLocaleString('en')} more of these`] : [])].join('\n')}\n`);
    return EXIT.usage;
  }
  process.stderr.write(
    `kvmsweep: a fault of its own, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT.usage;
}
