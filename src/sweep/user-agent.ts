import { version } from '../data.ts';

// Read once: in the middle of a sweep there may be no file descriptor for it.
const NAME = `kvmsweep/${version()} (+asset inventory, read-only)`;

/** How the tool names itself to every web server it asks, so that an administrator who reads the log knows what it was. */
export function userAgent(): string {
  return NAME;
}
