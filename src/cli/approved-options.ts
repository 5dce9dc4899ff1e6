import { Option } from 'commander';
import { collect } from './options.ts';

/** The approved list of a command: its files, and what its columns do not say by themselves. */
export interface ApprovedOptions {
  readonly approved?: readonly string[];
  readonly map?: readonly string[];
  readonly dateFormat?: string;
}

/** `--approved`. @param use what the command does with the list */
export function approvedOption(use: string): Option {
  return new Option('--approved <file>', `${use}: CSV, JSON, or rules in YAML (docs/approved-lists.md); may be repeated`).argParser(
    collect,
  );
}

export function mapOption(): Option {
  return new Option('--map <meaning=heading>', 'what a heading of the list means: mac="NIC 1"; may be repeated').argParser(collect);
}

export function dateFormatOption(): Option {
  return new Option('--date-format <format>', 'how dates are written in the list that are not as 2026-12-31: DD/MM/YYYY');
}
