// Quantities: upstream's canonical forms, comparisons and arithmetic.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValueOf,
  parseQuantity,
  QuantityError,
  subtractQuantities,
  valueOf,
} from './quantity.ts';

test('a quantity is written in its canonical form', () => {
  const forms: Record<string, string> = {
    '0': '0',
    '0.0': '0',
    '-0': '0',
    '1': '1',
    '+1': '1',
    '007': '7',
    '1000': '1k',
    '1500': '1500',
    '100000': '100k',
    '1000000': '1M',
    '0.5': '500m',
    '.5': '500m',
    '5.': '5',
    '1000m': '1',
    '1500m': '1500m',
    '0.001': '1m',
    '0.0001': '100u',
    '0.0000000001': '1n',
    '-0.0000000001': '-1n',
    '1Ki': '1Ki',
    '1024': '1024',
    '1024Ki': '1Mi',
    '1.5Gi': '1536Mi',
    '0.5Ki': '512',
    '0.1Ki': '102400m',
    '1Gi': '1Gi',
    '1100Ki': '1100Ki',
    '3Ei': '3Ei',
    '1e3': '1e3',
    '12E6': '12e6',
    '1E': '1E',
    '1e-3': '1e-3',
    '1.1e2': '110',
    '100e-1': '10',
    '9223372036854775807': '9223372036854775807',
    '9999999999999999999': '9223372036854775807',
    '1e400': '9223372036854775807',
    '10Ei': '9223372036854775807',
    '1P': '1P',
  }; // prettier-ignore
  for (const [text, canonical] of Object.entries(forms)) assert.equal(canonicalQuantity(text), canonical, text);
});

test('writing and reading again is the identity', () => {
  for (let i = 1; i < 2000; i++) {
    for (const suffix of ['n', 'u', 'm', '', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-2']) {
      const text = `${i * 37}${suffix}`;
      const canonical = canonicalQuantity(text);
      assert.equal(canonicalQuantity(canonical), canonical, text);
      assert.equal(compareQuantities(text, canonical), 0, text);
    }
  }
});

test('what is no quantity is refused in upstream’s words', () => {
  const wrong = /^quantities must match the regular expression/;
  for (const text of ['', ' 1', 'x', '1 Gi', '--1', '1,5', '1.2.3'])
    assert.throws(
      () => parseQuantity(text),
      (e) => e instanceof QuantityError && wrong.test(e.message),
      text,
    );
  for (const text of ['1KB', '1ki', '1mm', '1e', '1m3', '1Kii']) {
    assert.throws(
      () => parseQuantity(text),
      (e) => e instanceof QuantityError && /suffix|match/.test(e.message),
      text,
    );
  }
});

test('quantities compare and add exactly across formats', () => {
  assert.equal(compareQuantities('1Gi', '1G'), 1);
  assert.equal(compareQuantities('1000m', '1'), 0);
  assert.equal(compareQuantities('-1', '1n'), -1);
  assert.equal(formatQuantity(addQuantities('0.1', '0.2')), '300m');
  assert.equal(formatQuantity(addQuantities('1Gi', '1Mi')), '1025Mi');
  assert.equal(formatQuantity(addQuantities('0', '1Gi')), '1Gi');
  assert.equal(formatQuantity(subtractQuantities('1', '1500m')), '-500m');
});

test('values are rounded up, with and without the quick path', () => {
  for (const [text, value, milli] of [
    ['1', 1, 1000],
    ['250m', 1, 250],
    ['1001m', 2, 1001],
    ['128Mi', 134217728, 134217728000],
    ['1.5', 2, 1500],
    ['1n', 1, 1],
    ['-1500m', -2, -1500],
    ['100k', 100000, 100000000],
    ['0', 0, 0],
  ] as const) {
    // prettier-ignore
    assert.equal(valueOf(text), value, text);
    assert.equal(milliValueOf(text), milli, text);
    assert.equal(valueOf(parseQuantity(text)), value, text);
    assert.equal(milliValueOf(parseQuantity(text)), milli, text);
  }
});
