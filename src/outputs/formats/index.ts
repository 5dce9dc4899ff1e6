import type { TextFormat } from './format.ts';
import { ndjson } from './ndjson.ts';

/** Every form that is one text, by the name that `export --to` gives it. */
export const TEXT_FORMATS: readonly TextFormat[] = [ndjson];
