/** A table for people, in Markdown. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What a reader has to know to read it rightly. */
  readonly notes?: readonly string[];
}

/** One of the thirteen things that the sweep is held to. */
export interface Target {
  readonly number: number;
  readonly what: string;
  readonly figure: string;
  readonly isMet: boolean;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function tableText({ title, columns, rows, notes = [] }: Table): string {
  return [
    `## ${title}`,
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map(line),
    ...notes.flatMap((note) => ['', note]),
    '',
  ].join('\n');
}

export function targetsTable(targets: readonly Target[]): Table {
  return {
    title: 'Targets',
    columns: ['#', 'target', 'figure', ''],
    rows: targets
      .toSorted((a, b) => a.number - b.number)
      .map(({ number, what, figure, isMet }) => [String(number), what, figure, isMet ? 'met' : '**missed**']),
  };
}

export const seconds = (value: number): string => value.toFixed(2);
export const times = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} x`;
export const whole = (value: number): string => Math.round(value).toLocaleString('en');
