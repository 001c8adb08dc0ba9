// Times and durations as Go writes them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalDuration, canonicalMicroTime, canonicalTime } from './time.ts';

test('times are written in UTC and whole seconds, micro-times with six digits', () => {
  assert.equal(canonicalTime('2024-02-29T10:00:00Z'), '2024-02-29T10:00:00Z');
  assert.equal(canonicalTime('2024-02-29T10:00:00.999+02:00'), '2024-02-29T08:00:00Z');
  assert.equal(canonicalMicroTime('2024-01-01T00:00:00.123456+01:00'), '2023-12-31T23:00:00.123456Z');
});

test('times that do not exist are refused in Go’s words', () => {
  const cases: [string, string][] = [
    ['', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ['2024-01-01', 'parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ['2024-02-30T00:00:00Z', 'parsing time "2024-02-30T00:00:00Z": day out of range'],
    ['2024-13-01T00:00:00Z', 'parsing time "2024-13-01T00:00:00Z": month out of range'],
    ['2024-01-01T25:00:00Z', 'parsing time "2024-01-01T25:00:00Z": hour out of range'],
  ];
  for (const [text, message] of cases) assert.throws(() => canonicalTime(text), { message });
  assert.throws(() => canonicalMicroTime('2024-01-01T00:00:00Z'), {
    message: 'parsing time "2024-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  });
});

test('durations are written as Go does', () => {
  for (const [text, canonical] of Object.entries({
    '90s': '1m30s',
    '0': '0s',
    '1.5h': '1h30m0s',
    '1500ms': '1.5s',
    '250ms': '250ms',
    '1us': '1µs',
    '-2m': '-2m0s',
  })) {
    assert.equal(canonicalDuration(text), canonical);
  }
  assert.throws(() => canonicalDuration('5'), { message: 'time: missing unit in duration "5"' });
  assert.throws(() => canonicalDuration('5x'), { message: 'time: unknown unit "x" in duration "5x"' });
});
