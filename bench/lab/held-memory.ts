// How much an observation holds once the inventory is made of a journal: `node --expose-gc bench/lab/held-memory.ts JOURNAL…` prints the bytes of the heap after each.
import { setImmediate as turn } from 'node:timers/promises';

async function built<Module>(path: string): Promise<Module> {
  return (await import(`../../dist/${path}`)) as Module;
}
const { loadKnowledge } = await built<typeof import('../../src/cli/knowledge.ts')>('cli/knowledge.js');
const { deriveInventory } = await built<typeof import('../../src/inventory/derive.ts')>('inventory/derive.js');

const { matcher } = loadKnowledge({});
for (const journal of process.argv.slice(2)) {
  const held = await deriveInventory(journal, matcher);
  await turn();
  globalThis.gc?.();
  console.log(process.memoryUsage().heapUsed);
  // Used after the collection, so that it is held until then.
  if (held.inventory.schemaVersion === undefined) throw new Error('no inventory');
}
