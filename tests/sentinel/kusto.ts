/**
 * Microsoft's own KQL parser and binder, with the tables of Sentinel and Defender XDR declared before each query.
 * It finds syntax errors, unknown columns, tables and functions, wrong argument types and reserved names. It does not run anything.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parse } from 'yaml';

export type Where = 'workspace' | 'xdr';
export interface Problem {
  readonly severity: string;
  readonly message: string;
  /** Position in the query, not counting the declarations before it. */
  readonly start: number;
  readonly text: string;
}
export interface Analysis {
  /** Diagnostics of severity Error, in order. */
  readonly errors: readonly Problem[];
  /** Columns of the result: name to type. Empty where the query cannot be understood. */
  readonly columns: Readonly<Record<string, string>>;
}
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly holds: string;
}
export interface Columns {
  readonly watchlists: readonly {
    readonly alias: string;
    readonly displayName: string;
    readonly description: string;
    readonly key: string;
    readonly columns: readonly Column[];
  }[];
  readonly tables: readonly { readonly name: string; readonly columns: readonly Column[] }[];
}
interface Schemas {
  readonly tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly xdr: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  readonly functions: Readonly<
    Record<string, { readonly parameters: Readonly<Record<string, string>>; readonly columns: Readonly<Record<string, string>> }>
  >;
}

interface Diagnostic {
  readonly Severity: string;
  readonly Message: string;
  readonly Start: number;
  readonly Length: number;
}
interface ResultColumn {
  readonly Name: string;
  readonly Type: { readonly Name: string };
}
interface Code {
  GetDiagnostics(): unknown;
  readonly ResultType?: { readonly Columns?: unknown };
}
interface KustoGlobals {
  Bridge: { toArray(list: unknown): readonly unknown[] };
  Kusto: {
    Language: {
      KustoCode: { ParseAndAnalyze(text: string, globals: unknown): Code };
      GlobalState: { Default: unknown };
    };
  };
}

// The package has no entry point: its two files set globals, the bridge first.
const load = createRequire(import.meta.url);
load('@kusto/language-service-next/bridge.min.js');
load('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
const { Bridge, Kusto } = globalThis as unknown as KustoGlobals;

export const COLUMNS = parse(readFileSync('data/sentinel/columns.yaml', 'utf8')) as Columns;
const SCHEMAS = parse(readFileSync('tests/sentinel/schemas.yaml', 'utf8'), { merge: true }) as Schemas;

/** What a watchlist always has. All that an absent or empty one has, so that a query which binds against this alone survives that. */
const LIST_COLUMNS = { _DTItemId: 'string', LastUpdatedTimeUTC: 'datetime', SearchKey: 'string' };

/**
 * Parses and binds one query. Where its watchlists are absent they have no columns of their own, and a query that survives that reads those with
 * column_ifexists; where they are present, each has the columns that columns.yaml declares.
 */
export function analyse(text: string, where: Where = 'workspace', lists: 'absent' | 'present' = 'absent'): Analysis {
  const name = `${where} ${lists} ${text}`;
  const known = analyses.get(name) ?? parsed(text, where, lists);
  analyses.set(name, known);
  return known;
}

/** A query is asked of by several tests; each analysis takes a tenth of a second. */
const analyses = new Map<string, Analysis>();

function parsed(text: string, where: Where, lists: 'absent' | 'present'): Analysis {
  const query = lists === 'absent' ? text : text.replaceAll(/_GetWatchlist\('(\w+)'\)/g, '_GetWatchlist_$1()');
  const prefix = declarations(where);
  const code = Kusto.Language.KustoCode.ParseAndAnalyze(prefix + query, Kusto.Language.GlobalState.Default);
  const errors = (Bridge.toArray(code.GetDiagnostics()) as readonly Diagnostic[])
    .filter((one) => one.Severity === 'Error')
    .map((one) => ({
      severity: one.Severity,
      message: one.Message,
      start: one.Start - prefix.length,
      text: (prefix + query).slice(one.Start, one.Start + one.Length),
    }));
  const columns = code.ResultType?.Columns === undefined ? [] : (Bridge.toArray(code.ResultType.Columns) as readonly ResultColumn[]);
  return { errors, columns: Object.fromEntries(columns.map((column) => [column.Name, column.Type.Name])) };
}

const prefixes = new Map<Where, string>();

function declarations(where: Where): string {
  const known = prefixes.get(where);
  if (known !== undefined) return known;
  const tables = where === 'workspace' ? SCHEMAS.tables : SCHEMAS.xdr;
  const own = where === 'workspace' ? COLUMNS.tables : [];
  const lines = [
    ...Object.entries(tables).map(([name, columns]) => `let ${name} = ${datatable(columns)};`),
    ...own.map(
      ({ name, columns }) => `let ${name} = ${datatable(Object.fromEntries(columns.map((one) => [one.name, kqlType(one.type)])))};`,
    ),
    `let _GetWatchlist = (watchlistAlias: string) { ${datatable(LIST_COLUMNS)} };`,
    ...COLUMNS.watchlists.map(
      (list) =>
        `let _GetWatchlist_${list.alias} = () { ${datatable({ ...LIST_COLUMNS, ...Object.fromEntries(list.columns.map((one) => [one.name, 'string'])) })} };`,
    ),
    ...(where === 'workspace' ? Object.entries(SCHEMAS.functions) : []).map(
      ([name, { parameters, columns }]) =>
        `let ${name} = (${Object.entries(parameters)
          .map(([parameter, type]) => `${parameter}: ${type}`)
          .join(', ')}) { ${datatable(columns)} };`,
    ),
  ];
  const text = `${lines.join('\n')}\n`;
  prefixes.set(where, text);
  return text;
}

function datatable(columns: Readonly<Record<string, string | null>>): string {
  const typed = Object.entries(columns).filter(([, type]) => type !== null);
  return `datatable(${typed.map(([name, type]) => `${name}: ${type}`).join(', ')})[]`;
}

/** The types of the tables API are those of KQL but for one. */
function kqlType(type: string): string {
  return type === 'boolean' ? 'bool' : type;
}
