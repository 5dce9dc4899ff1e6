// Compiles src/ to dist/, checks what people write in data/ and bundles it as JSON beside the code, and publishes the JSON Schemas.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dataPath } from '../src/data.ts';
import { InputError } from '../src/errors.ts';
import { factVocabulary, readFactDefinitions } from '../src/fingerprints/facts.ts';
import { readFingerprints } from '../src/fingerprints/load.ts';
import { FingerprintSchema } from '../src/fingerprints/schema.ts';
import { readPersonas } from '../src/fleet/index.ts';
import { InventorySchema } from '../src/inventory/schema.ts';
import { readSentinelContract } from '../src/outputs/sentinel/columns.ts';
import { readOidRules } from '../src/sweep/snmp/oids.ts';
import { AllowedPaths, readPathRules } from '../src/sweep/paths.ts';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

try {
  const fingerprints = readFingerprints(dataPath('fingerprints'), { facts: factVocabulary(), paths: new AllowedPaths(readPathRules()) });
  rmSync('dist', { recursive: true, force: true });
  execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  mkdirSync('dist/data');
  const bundles = {
    facts: readFactDefinitions(),
    paths: readPathRules(),
    oids: readOidRules(),
    fingerprints,
    fleet: readPersonas(),
    sentinel: readSentinelContract(),
  };
  for (const [name, data] of Object.entries(bundles)) writeFileSync(`dist/data/${name}.json`, JSON.stringify(data));
  const schemas = { fingerprint: FingerprintSchema, inventory: InventorySchema };
  for (const [name, schema] of Object.entries(schemas))
    writeFileSync(`data/${name}.schema.json`, `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`);
} catch (error) {
  // What is wrong in data/ is told as an editor would; anything else with its stack.
  process.stderr.write(error instanceof InputError ? `${error.message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
}
