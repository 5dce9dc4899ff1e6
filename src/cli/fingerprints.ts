import { writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Fingerprint } from '../fingerprints/schema.ts';
import { jsonDocument } from '../outputs/json.ts';
import { collect, wholeNumber } from './options.ts';

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
    .command('new')
    .summary('a definition to begin with, of what an address said')
    .description('Writes a definition of what one address of a journal said: its telling facts as rules, the rest as its example.')
    .argument('<journal>', 'a journal, or observations as lines of JSON; - for standard input')
    .argument('<address>', 'an address in it')
    .option('--port <number>', 'of this port alone', wholeNumber(1, 65_535))
    .option('-o, --output <file>', 'write it there (a new file) instead of to standard output')
    .addHelpText('after', '\nExamples:\n  kvmsweep fingerprints new monday.ndjson 10.20.0.17 -o my/rackview.yaml')
    .action(async (journal: string, address: string, { port, output }: { port?: number; output?: string }) => {
      const [{ indexObservations }, { byEndpoint }, { skeletonOf }, { codeOf, inputError, systemReason }, { dataPath }] = await Promise.all(
        [
          import('../observations/read.ts'),
          import('../observations/observation.ts'),
          import('../fingerprints/skeleton.ts'),
          import('../errors.ts'),
          import('../data.ts'),
        ],
      );
      const index = await indexObservations(journal);
      const said = index.of(address);
      index.close();
      if (said.length === 0) throw inputError('no-such-device', { address, file: journal });
      const schema = relative(dirname(resolve(output ?? 'stdout')), dataPath('fingerprint.schema.json'));
      const text = skeletonOf(
        byEndpoint(said).filter((endpoint) => port === undefined || endpoint.port === port),
        schema,
      );
      if (text === undefined) throw inputError('nothing-telling', { address, file: journal });
      if (output === undefined) {
        process.stdout.write(text);
        return;
      }
      try {
        writeFileSync(output, text, { flag: 'wx' });
      } catch (error) {
        throw codeOf(error) === 'EEXIST'
          ? inputError('file-exists', { file: output })
          : inputError('unwritable-file', { file: output, reason: systemReason(error) });
      }
    });

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
