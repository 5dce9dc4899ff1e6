// Writes docs/coverage.md: what the set recognises, in which channels, with which fields, and what it knows and does not use. `npm run -s coverage`;
// a test fails where the page is not what this makes.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { coverageOf } from '../src/fingerprints/coverage.ts';
import type { Fingerprint } from '../src/fingerprints/schema.ts';
import { coverageMarkdown } from '../src/outputs/coverage.ts';
import { count } from '../src/text.ts';
import { knownValues } from './knowledge.ts';

export const COVERAGE_PAGE = fileURLToPath(new URL('../docs/coverage.md', import.meta.url));

export function coveragePage(fingerprints: readonly Fingerprint[]): string {
  const values = knownValues(fingerprints);
  const used = values.filter((value) => value.used);
  const unused = values.filter((value) => !value.used);
  const reasons = [...new Set(unused.map(({ reason }) => reason ?? 'nobody has said why'))];
  const sectionOf = (reason: string): string[] => [...new Set(unused.filter((one) => one.reason === reason).map(({ section }) => section))];
  return [
    '# Coverage',
    '',
    'Made by `npm run -s coverage` from the definitions; do not edit. `kvmsweep fingerprints coverage` prints the same for your own set.',
    '',
    '## Products',
    '',
    coverageMarkdown(coverageOf(fingerprints)),
    '',
    '## Known values that no rule uses',
    '',
    `The set was written from ${count(values.length, 'exact value')} that public sources give for these products (\`data/knowledge/values.yaml\`). ${used.length.toLocaleString('en')} are used by rules; ${unused.length.toLocaleString('en')} are not, each with a reason (\`data/knowledge/unused.yaml\`). \`npm run -s knowledge\` checks it.`,
    ...reasons.flatMap((reason) => [
      '',
      `**${reason}**`,
      '',
      ...sectionOf(reason).map(
        (section) =>
          `- ${section}: ${unused
            .filter((one) => one.reason === reason && one.section === section)
            .map(({ value }) => code(value))
            .join(', ')}`,
      ),
    ]),
    '',
  ].join('\n');
}

function code(value: string): string {
  return value.includes('`') ? `\`\` ${value} \`\`` : `\`${value}\``;
}

if (import.meta.main) {
  const { loadKnowledge } = await import('../src/cli/knowledge.ts');
  writeFileSync(COVERAGE_PAGE, coveragePage(loadKnowledge({}).fingerprints));
}
