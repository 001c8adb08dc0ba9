// Times, micro-times and durations in JSON: what is accepted, and how an API server writes them back.

/** The text is no time or duration; the message is Go's. */
export class TimeError extends Error {
  override name = 'TimeError';
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/;

/** In UTC and whole seconds. Throws in the words of Go's time package. */
export function canonicalTime(text: string): string {
  // By far the most frequent form stays as it is.
  if (text.length === 20 && text.charCodeAt(19) === 90 && isPlainUtc(text)) return text;
  const { seconds } = parseTime(text);
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** In UTC, with six digits of fraction. */
export function canonicalMicroTime(text: string): string {
  const { seconds, fraction } = parseTime(text);
  // Go's layout for it has exactly six digits, and reading asks for as many.
  if (fraction.length !== 6) {
    const rest = /(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/.exec(text)![0];
    const wanted = fraction.length < 6 ? '".000000"' : '"Z07:00"';
    const shown = JSON.stringify(fraction.length < 6 ? rest : rest.slice(7));
    throw new TimeError(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${shown} as ${wanted}`);
  }
  return new Date(seconds * 1000).toISOString().replace('.000Z', `.${fraction}Z`);
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go's duration text (`1h2m3.5s`) in canonical form. Throws in Go's words. */
export function canonicalDuration(text: string): string {
  return formatDuration(parseDuration(text));
}

/** Nanoseconds. */
export function parseDuration(text: string): bigint {
  const invalid = () => new TimeError(`time: invalid duration ${JSON.stringify(text)}`);
  const match = /^([+-]?)(.*)$/s.exec(text)!;
  let rest = match[2]!;
  if (rest === '0') return 0n;
  if (rest === '') throw invalid();
  let total = 0n;
  while (rest !== '') {
    const part = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(rest)!;
    const [all, whole = '', fraction = '', unit = ''] = part;
    if (whole === '' && fraction === '') throw invalid();
    if (unit === '') throw new TimeError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const factor = units[unit];
    if (factor === undefined) throw new TimeError(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += BigInt(whole || '0') * factor + (BigInt(fraction || '0') * factor) / 10n ** BigInt(fraction.length);
    rest = rest.slice(all.length);
  }
  return match[1] === '-' ? -total : total;
}

function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const amount = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (amount < 1_000_000_000n) {
    const [unit, factor] =
      amount < 1000n ? (['ns', 1n] as const) : amount < 1_000_000n ? (['µs', 1000n] as const) : (['ms', 1_000_000n] as const);
    return `${sign}${decimal(amount, factor)}${unit}`;
  }
  const hours = amount / units['h']!;
  const minutes = (amount % units['h']!) / units['m']!;
  const seconds = `${decimal(amount % units['m']!, units['s']!)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

function decimal(amount: bigint, factor: bigint): string {
  const fraction = (amount % factor)
    .toString()
    .padStart(factor.toString().length - 1, '0')
    .replace(/0+$/, '');
  return fraction === '' ? `${amount / factor}` : `${amount / factor}.${fraction}`;
}

function parseTime(text: string): { seconds: number; fraction: string } {
  const match = rfc3339.exec(text);
  if (match === null) throw unreadable(text);
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match as unknown as string[];
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const date = new Date(ms);
  if (Number(hour) > 23) throw outOfRange(text, 'hour');
  if (Number(minute) > 59) throw outOfRange(text, 'minute');
  if (Number(second) > 59) throw outOfRange(text, 'second');
  // JavaScript rolls over what Go refuses.
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))
    throw outOfRange(text, Number(month) > 12 ? 'month' : 'day');
  const offset = zone === 'Z' ? 0 : Number(`${zone![0]}1`) * (Number(zone!.slice(1, 3)) * 3600 + Number(zone!.slice(4, 6)) * 60);
  return { seconds: ms / 1000 - offset, fraction: fraction.slice(1) };
}

/** Days that every month has, and digits in range: no calendar is needed to know that such a time exists. */
function isPlainUtc(text: string): boolean {
  return /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/.test(text);
}

function outOfRange(text: string, unit: string): TimeError {
  return new TimeError(`parsing time ${JSON.stringify(text)}: ${unit} out of range`);
}

/** Go names the first part of its layout that the text does not follow. */
function unreadable(text: string): TimeError {
  const layout: [RegExp, string][] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d\d/, '01'],
    [/^-/, '-'],
    [/^\d\d/, '02'],
    [/^T/, 'T'],
    [/^\d\d/, '15'],
    [/^:/, ':'],
    [/^\d\d/, '04'],
    [/^:/, ':'],
    [/^\d\d/, '05'],
    [/^([.,]\d+)?(Z|[+-]\d\d:\d\d)/, 'Z07:00'],
  ];
  let rest = text;
  for (const [pattern, name] of layout) {
    const match = pattern.exec(rest);
    if (match === null) {
      return new TimeError(
        `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(name)}`,
      );
    }
    rest = rest.slice(match[0].length);
  }
  return new TimeError(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`);
}
