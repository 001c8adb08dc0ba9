// Cron schedules as CronJobs write them: five fields, or a descriptor such as `@daily` or `@every 1h30m`. croner computes the times.
import { Cron } from 'croner';

export interface Schedule {
  /** The first time after `ms`, in milliseconds since the epoch; undefined when there is none. */
  after(ms: number): number | undefined;
}

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

interface Field {
  min: number;
  max: number;
  names?: readonly string[];
}

const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** Throws with upstream's words where the schedule cannot be understood. */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  if (text.startsWith('@every ')) return everySchedule(text);
  if (text.startsWith('@') && descriptors[text] === undefined) throw new Error(`unrecognized descriptor: ${text}`);
  const words = (descriptors[text] ?? text).trim().split(/\s+/);
  if (words.length !== fields.length) {
    throw new Error(`expected exactly 5 fields, found ${words[0] === '' ? 0 : words.length}: [${words.join(' ')}]`);
  }
  const pattern = words.map((word, position) => plainField(word, fields[position]!)).join(' ');
  const cron = new Cron(pattern, { timezone: timeZone, mode: '5-part' });
  return { after: (ms) => cron.nextRun(new Date(ms))?.getTime() };
}

/** Whether the machine's time zone database knows it. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function everySchedule(text: string): Schedule {
  const duration = text.slice('@every '.length);
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(duration)) {
    throw new Error(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`);
  }
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) total += Number(amount) * units[unit!]!;
  const delayMs = Math.max(1000, Math.floor(total / 1000) * 1000);
  return { after: (ms) => Math.floor(ms / 1000) * 1000 + delayMs };
}

/** The field checked, and written so that it says the same in every dialect. */
function plainField(word: string, field: Field): string {
  return word
    .split(',')
    .map((part) => plainRange(part, field))
    .join(',');
}

function plainRange(text: string, field: Field): string {
  const [range = '', step, ...tooMany] = text.split('/');
  const limits = range.split('-');
  if (limits.length > 2) throw new Error(`too many hyphens: ${text}`);
  if (tooMany.length > 0) throw new Error(`too many slashes: ${text}`);
  const isAll = limits[0] === '*' || limits[0] === '?';
  const start = isAll ? field.min : numberOf(limits[0]!, field);
  // `5/15` goes on to the end of the field.
  const openEnd = isAll || (step !== undefined && limits[1] === undefined);
  const end = openEnd ? field.max : limits[1] === undefined ? start : numberOf(limits[1], field);
  const every = step === undefined ? 1 : numberOf(step, { min: 0, max: 0 });
  if (start < field.min) throw new Error(`beginning of range (${start}) below minimum (${field.min}): ${text}`);
  if (end > field.max) throw new Error(`end of range (${end}) above maximum (${field.max}): ${text}`);
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (every === 0) throw new Error(`step of range should be a positive number: ${text}`);
  if (isAll && every === 1) return '*';
  const numbers: number[] = [];
  for (let number = start; number <= end; number += every) numbers.push(number);
  return numbers.join(',');
}

function numberOf(text: string, { names }: Field): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0 && text !== '') return named;
  if (!/^[+-]?\d+$/.test(text)) {
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const number = Number(text);
  if (number < 0) throw new Error(`negative number (${number}) not allowed: ${text}`);
  return number;
}
