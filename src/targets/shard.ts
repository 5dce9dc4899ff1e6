/** One of the parts that a sweep is divided into for several machines: of every `of` addresses the one with number `part`, 1 to `of`. */
export interface Shard {
  readonly part: number;
  readonly of: number;
}

const MAX_SHARDS = 65_536;

/** `3/16`. */
export function parseShard(text: string): Shard | undefined {
  const [, part, of] = (/^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []).map(Number);
  return part === undefined || of === undefined || part < 1 || part > of || of > MAX_SHARDS ? undefined : { part, of };
}

export function shardText({ part, of }: Shard): string {
  return `${part}/${of}`;
}
