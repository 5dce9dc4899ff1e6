import { version } from '../data.ts';

/** How the tool names itself to every web server it asks, so that an administrator who reads the log knows what it was. */
export function userAgent(): string {
  return `kvmsweep/${version()} (+asset inventory, read-only)`;
}
