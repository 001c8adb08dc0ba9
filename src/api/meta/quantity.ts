// Kubernetes quantities: exact decimal numbers with a suffix ("100m", "1.5Gi", "12e6"), read, compared, added and written in canonical form.
// Objects carry them as text; whoever counts takes numbers from here. Source of the rules: apimachinery's resource.Quantity.

type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** Exactly `unscaled` × 10^`scale`. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
}

export class QuantityError extends Error {
  override name = 'QuantityError';
}

const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)$/;
const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const wrongSuffix = "unable to parse quantity's suffix";
const wrongNumber = 'unable to parse numeric part of quantity';

const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const smallestScale = -9;
const maxValue = 2n ** 63n - 1n;

/** Throws a QuantityError in upstream's words. Beyond nano it rounds away from zero; beyond 2^63-1 it stops there. */
export function parseQuantity(text: string): Quantity {
  const match = shape.exec(text);
  if (match === null || text === '') throw new QuantityError(wrongFormat);
  const [, sign, whole, fraction = '', letters, exponent] = match as unknown as [
    string,
    string,
    string,
    string | undefined,
    string,
    string,
  ];
  if (whole === '' && fraction === '') throw new QuantityError(text.includes('.') ? wrongNumber : wrongFormat);
  const digits = BigInt(whole + fraction);
  const suffix = readSuffix(letters, exponent);
  const exact = digits * suffix.factor;
  return bounded(sign === '-' ? -exact : exact, suffix.scale - fraction.length, suffix.format);
}

/** Undefined where the text is no quantity. */
export function tryParseQuantity(text: string): Quantity | undefined {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}

/** The form in which upstream writes a quantity: no fraction, the largest suffix that keeps it whole. */
export function formatQuantity({ unscaled, scale, format }: Quantity): string {
  if (unscaled === 0n) return '0';
  if (format === 'BinarySI') {
    const whole = toScale(unscaled, scale, 0);
    // Small or fractional amounts read better, and exactly, in decimal.
    if (whole.exact && (whole.value <= -1024n || whole.value >= 1024n)) return formatBinary(whole.value);
  }
  return formatDecimal(unscaled, scale, format === 'DecimalExponent');
}

/** What an API server makes of a client's quantity. Throws a QuantityError. */
export function canonicalQuantity(text: string): string {
  return isPlain(text) ? text : formatQuantity(parseQuantity(text));
}

/** -1, 0 or 1. */
export function compareQuantities(a: string | Quantity, b: string | Quantity): number {
  const [left, right] = aligned(quantity(a), quantity(b));
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum, in the format of the first, or of the second where the first is zero. */
export function addQuantities(a: string | Quantity, b: string | Quantity): Quantity {
  return combine(quantity(a), quantity(b), 1n);
}

export function subtractQuantities(a: string | Quantity, b: string | Quantity): Quantity {
  return combine(quantity(a), quantity(b), -1n);
}

/** The whole number not below it, as upstream's Value(): bytes, pods, whole cores. What is absent counts as nothing, here and below. */
export function valueOf(text: string | Quantity | undefined): number {
  return scaledValue(text, 0);
}

/** Thousandths, rounded up, as upstream's MilliValue(): CPU. */
export function milliValueOf(text: string | Quantity | undefined): number {
  return scaledValue(text, -3);
}

/** For charts and logs only: it may lose precision. */
export function approximateValueOf(text: string | Quantity | undefined): number {
  if (text === undefined) return 0;
  const { unscaled, scale } = quantity(text);
  return scale >= 0 ? Number(unscaled) * 10 ** scale : Number(unscaled) / 10 ** -scale;
}

export function isZeroQuantity(text: string | Quantity): boolean {
  return quantity(text).unscaled === 0n;
}

export function isNegativeQuantity(text: string | Quantity): boolean {
  return quantity(text).unscaled < 0n;
}

function quantity(value: string | Quantity): Quantity {
  return typeof value === 'string' ? parseQuantity(value) : value;
}

function scaledValue(value: string | Quantity | undefined, scale: number): number {
  if (value === undefined) return 0;
  if (typeof value === 'string') {
    const quick = quickScaled(value, scale);
    if (quick !== undefined) return quick;
  }
  const parsed = quantity(value);
  return Number(toScale(parsed.unscaled, parsed.scale, scale).value);
}

/** The everyday forms — "2", "250m", "128Mi" — without big integers. */
function quickScaled(text: string, scale: number): number | undefined {
  const match = /^([0-9]{1,6})(m|Ki|Mi|Gi|)$/.exec(text);
  if (match === null) return undefined;
  const amount = Number(match[1]);
  if (match[2] === 'm') return scale === -3 ? amount : Math.ceil(amount / 1000);
  const factor = match[2] === '' ? 1 : 1024 ** binarySuffixes.indexOf(match[2]!);
  return scale === -3 ? amount * factor * 1000 : amount * factor;
}

/** Texts that are canonical as they stand: up to three digits without a leading zero, and no suffix or one that cannot be folded further. */
function isPlain(text: string): boolean {
  return /^(0|[1-9][0-9]{0,2}(m|Mi|Gi|Ki|k|M|G)?)$/.test(text);
}

function readSuffix(letters: string, exponent: string): { factor: bigint; scale: number; format: QuantityFormat } {
  if (exponent === '') {
    const decimal = decimalSuffixes.indexOf(letters);
    if (decimal >= 0) return { factor: 1n, scale: (decimal - 3) * 3, format: 'DecimalSI' };
    const binary = binarySuffixes.indexOf(letters);
    if (binary > 0) return { factor: 1024n ** BigInt(binary), scale: 0, format: 'BinarySI' };
  } else if ((letters === 'e' || letters === 'E') && /[0-9]/.test(exponent)) {
    const scale = Number(exponent);
    // Far beyond what can be held: either nothing or the greatest value, decided without a number of that length.
    return { factor: 1n, scale: Math.max(-400, Math.min(400, scale)), format: 'DecimalExponent' };
  }
  throw new QuantityError(wrongSuffix);
}

function bounded(unscaled: bigint, scale: number, format: QuantityFormat): Quantity {
  if (unscaled === 0n) return { unscaled, scale: 0, format };
  if (scale < smallestScale) return bounded(toScale(unscaled, scale, smallestScale).value, smallestScale, format);
  const whole = scale >= 0 ? unscaled * 10n ** BigInt(scale) : unscaled / 10n ** BigInt(-scale);
  if (whole > maxValue) return { unscaled: maxValue, scale: 0, format };
  if (whole < -maxValue) return { unscaled: -maxValue, scale: 0, format };
  return { unscaled, scale, format };
}

/** At another scale, rounded away from zero. */
function toScale(unscaled: bigint, scale: number, wanted: number): { value: bigint; exact: boolean } {
  if (scale >= wanted) return { value: unscaled * 10n ** BigInt(scale - wanted), exact: true };
  const divisor = 10n ** BigInt(wanted - scale);
  const cut = unscaled / divisor;
  if (cut * divisor === unscaled) return { value: cut, exact: true };
  return { value: unscaled < 0n ? cut - 1n : cut + 1n, exact: false };
}

function aligned(a: Quantity, b: Quantity): [bigint, bigint] {
  const scale = Math.min(a.scale, b.scale);
  return [toScale(a.unscaled, a.scale, scale).value, toScale(b.unscaled, b.scale, scale).value];
}

function combine(a: Quantity, b: Quantity, sign: bigint): Quantity {
  const [left, right] = aligned(a, b);
  return { unscaled: left + sign * right, scale: Math.min(a.scale, b.scale), format: a.unscaled === 0n ? b.format : a.format };
}

function formatBinary(value: bigint): string {
  let power = 0;
  let rest = value;
  while (rest % 1024n === 0n && power < binarySuffixes.length - 1) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${binarySuffixes[power]}`;
}

function formatDecimal(unscaled: bigint, scale: number, exponential: boolean): string {
  let mantissa = unscaled;
  let exponent = scale;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent++;
  }
  while (exponent % 3 !== 0) {
    mantissa *= 10n;
    exponent--;
  }
  const suffix = decimalSuffixes[exponent / 3 + 3];
  if (exponential || suffix === undefined) return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  return `${mantissa}${suffix}`;
}
