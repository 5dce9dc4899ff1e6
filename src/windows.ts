/** A time of the week in a time zone: `Sat 22:00-06:00 Europe/Berlin`. */
export interface TimeWindow {
  /** 0 is Sunday. The days on which it begins. */
  readonly days: readonly number[];
  /** Minutes since midnight. An end that is not after the begin is on the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** As the IANA time zone database names it. */
  readonly timeZone: string;
  readonly text: string;
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const EVERY_DAY = 'daily';
const DAY_MINUTES = 24 * 60;
const WINDOW = /^(?:(?<days>[a-z]+(?:\s*[-,]\s*[a-z]+)*)\s+)?(?<from>\d{1,2}:\d{2})\s*[-–]\s*(?<to>\d{1,2}:\d{2})(?:\s+(?<zone>\S+))?$/i;

const EXAMPLE = 'write it as Sat 22:00-06:00 Europe/Berlin';

/**
 * Reads one window. Days are `Sat`, `Saturday`, `Mon-Fri`, `Sat,Sun` or `daily`.
 * @param here the time zone where none is named; then days may be left out too, and it is every day
 */
export function parseWindow(text: string, here?: string): TimeWindow | { readonly reason: string } {
  const trimmed = text.trim();
  const { days: dayText = here === undefined ? '' : EVERY_DAY, from = '', to = '', zone = here } = WINDOW.exec(trimmed)?.groups ?? {};
  if (from === '' || dayText === '') return { reason: `"${trimmed}" is no window; ${EXAMPLE}` };
  if (zone === undefined) return { reason: `the window "${trimmed}" names no time zone; ${EXAMPLE}` };
  const days = parseDays(dayText);
  if (days === undefined) return { reason: `"${dayText}" names no days of the week; ${EXAMPLE}` };
  const [fromMinute, toMinute] = [minuteOf(from), minuteOf(to)];
  if (fromMinute === undefined || toMinute === undefined || fromMinute === DAY_MINUTES)
    return { reason: `the window "${trimmed}" has no such time of day; times are 00:00 to 24:00` };
  if (fromMinute === toMinute) return { reason: `the window "${trimmed}" begins and ends at the same time; a whole day is 00:00-24:00` };
  if (!isTimeZone(zone))
    return { reason: `"${zone}" is no time zone that is known here; give one of the IANA database, as Europe/Berlin or UTC` };
  return { days, fromMinute, toMinute, timeZone: zone, text: here === undefined ? trimmed : `${dayText} ${from}-${to} ${zone}` };
}

function parseDays(text: string): number[] | undefined {
  if (/^(?:daily|everyday)$/i.test(text)) return [0, 1, 2, 3, 4, 5, 6];
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last = first] = part.split('-').map((name) => dayOf(name.trim()));
    if (first === undefined || last === undefined) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].toSorted((a, b) => a - b);
}

function dayOf(name: string): number | undefined {
  const lower = name.toLowerCase();
  const day = DAYS.findIndex((full) => lower.length >= 3 && full.startsWith(lower));
  return day < 0 ? undefined : day;
}

function minuteOf(text: string): number | undefined {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  const all = hours * 60 + minutes;
  return minutes < 60 && all <= DAY_MINUTES ? all : undefined;
}

function isTimeZone(zone: string): boolean {
  return clockOf(zone) !== undefined;
}

const clocks = new Map<string, Intl.DateTimeFormat | undefined>();

function clockOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!clocks.has(timeZone)) clocks.set(timeZone, newClock(timeZone));
  return clocks.get(timeZone);
}

function newClock(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  } catch (error) {
    if (error instanceof RangeError) return undefined; // no such zone
    throw error;
  }
}

/** Whether a moment lies in a window, by the wall clock of its zone; the begin belongs to it, the end does not. */
export function isInWindow({ days, fromMinute, toMinute, timeZone }: TimeWindow, at: Date): boolean {
  const parts = Object.fromEntries((clockOf(timeZone)?.formatToParts(at) ?? []).map(({ type, value }) => [type, value]));
  const day = DAYS.indexOf((parts['weekday'] ?? '').toLowerCase());
  const minute = Number(parts['hour']) * 60 + Number(parts['minute']);
  if (fromMinute < toMinute) return days.includes(day) && fromMinute <= minute && minute < toMinute;
  return (days.includes(day) && minute >= fromMinute) || (days.includes((day + 6) % 7) && minute < toMinute);
}

/** How long a window lasts, in seconds by the wall clock. */
export function windowSeconds({ fromMinute, toMinute }: TimeWindow): number {
  return 60 * ((toMinute - fromMinute + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES);
}

/** The time of day at which a window begins: `22:00`. */
export function beginText({ fromMinute }: TimeWindow): string {
  return [Math.floor(fromMinute / 60), fromMinute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
