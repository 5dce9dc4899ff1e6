import { type Command, Option } from 'commander';
import type { Fingerprint } from '../fingerprints/schema.ts';
import { jsonDocument } from '../outputs/json.ts';
import { collect } from './options.ts';

interface Options {
  readonly fingerprints?: string;
  readonly allowPath?: string[];
  readonly format: 'table' | 'json' | 'markdown';
}

export function register(program: Command): void {
  const group = program
    .command('fingerprints')
    .summary('the definitions: list them, show one, let them prove themselves')
    .description('What kvmsweep recognises, by what, and the proof of it.');
  const sub = (name: string, summary: string, formats: readonly string[] = []): Command =>
    group
      .command(name)
      .summary(summary)
      .description(summary)
      .option('--fingerprints <folder>', 'with your own definitions')
      .option('--allow-path <path>', 'let them ask for this path', collect)
      .addOption(new Option('--format <format>', 'what goes to standard output').choices(['table', 'json', ...formats]).default('table'));

  sub('list', 'every definition: product, class, rules, channels').action(async (options: Options) => {
    const [{ loadKnowledge }, { fingerprintTable }, { terminalColumns }] = await Promise.all([
      import('./knowledge.ts'),
      import('../outputs/fingerprints.ts'),
      import('./options.ts'),
    ]);
    const { fingerprints } = loadKnowledge(options);
    process.stdout.write(options.format === 'json' ? jsonDocument(fingerprints) : `${fingerprintTable(fingerprints, terminalColumns())}\n`);
  });

  sub('show', 'one definition: its rules, what it asks for, where it is written')
    .argument('<id>', 'its id, as `fingerprints list` shows it')
    .action(async (id: string, options: Options) => {
      const [{ loadKnowledge }, { fingerprintText }, { inputError }, { nearest }] = await Promise.all([
        import('./knowledge.ts'),
        import('../outputs/fingerprints.ts'),
        import('../errors.ts'),
        import('../text.ts'),
      ]);
      const { fingerprints } = loadKnowledge(options);
      const found = fingerprints.find((fingerprint: Fingerprint) => fingerprint.id === id);
      if (found === undefined) {
        const near = nearest(
          id,
          fingerprints.map((fingerprint) => fingerprint.id),
        );
        throw inputError('unknown-fingerprint', { id, ...(near === undefined ? {} : { nearest: near }) });
      }
      process.stdout.write(options.format === 'json' ? jsonDocument(found) : fingerprintText(found));
    });

  sub('test', 'let every definition prove itself: its examples, its near misses, and that it takes no other product for its own').action(
    async (options: Options) => {
      const [{ loadKnowledge }, { prove }, { EXIT }] = await Promise.all([
        import('./knowledge.ts'),
        import('../fingerprints/prove.ts'),
        import('./exit.ts'),
      ]);
      const proof = prove(loadKnowledge(options).fingerprints);
      if (options.format === 'json') process.stdout.write(jsonDocument(proof));
      else {
        for (const { fingerprint, at, text } of proof.flaws) process.stdout.write(`${fingerprint}: ${at}: ${text}\n`);
        process.stdout.write(
          `${proof.definitions} definitions, ${proof.rules} rules, ${proof.examples} examples, ${proof.nearMisses} near misses: ${proof.flaws.length === 0 ? 'all hold' : `${proof.flaws.length} flaws`}\n`,
        );
      }
      process.exitCode = proof.flaws.length === 0 ? EXIT.done : EXIT.findings;
    },
  );

  sub('coverage', 'product by product: in which channels it is recognised, and which fields its answers fill', ['markdown']).action(
    async (options: Options) => {
      const [{ loadKnowledge }, { coverageOf }, { coverageMarkdown, coverageTable }, { terminalColumns }] = await Promise.all([
        import('./knowledge.ts'),
        import('../fingerprints/coverage.ts'),
        import('../outputs/coverage.ts'),
        import('./options.ts'),
      ]);
      const products = coverageOf(loadKnowledge(options).fingerprints);
      if (options.format === 'json') process.stdout.write(jsonDocument(products));
      else
        process.stdout.write(
          `${options.format === 'markdown' ? coverageMarkdown(products) : coverageTable(products, terminalColumns())}\n`,
        );
    },
  );

  group
    .command('facts')
    .summary('every fact that a definition may name')
    .description('The vocabulary of facts: name, type, the probe that sets it (none: taken from other tools by identify), meaning.')
    .addOption(new Option('--format <format>', 'what goes to standard output').choices(['table', 'json']).default('table'))
    .action(async ({ format }: { format: 'table' | 'json' }) => {
      const [{ factVocabulary }, { factTable }, { terminalColumns }] = await Promise.all([
        import('../fingerprints/facts.ts'),
        import('../outputs/fingerprints.ts'),
        import('./options.ts'),
      ]);
      const facts = [...factVocabulary().values()];
      process.stdout.write(format === 'json' ? jsonDocument(facts) : `${factTable(facts, terminalColumns())}\n`);
    });
}
