// When schedules fall due, and what is said of those that cannot be understood.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchedule } from './schedule.ts';

const next = (schedule: string, after: string, timeZone?: string) => {
  const ms = parseSchedule(schedule, timeZone).after(Date.parse(after));
  return ms === undefined ? undefined : new Date(ms).toISOString();
};

test('a schedule falls due at the next minute that all its fields name', () => {
  assert.equal(next('*/15 * * * *', '2026-01-01T00:00:00Z'), '2026-01-01T00:15:00.000Z');
  assert.equal(next('5/15 * * * *', '2026-01-01T00:06:00Z'), '2026-01-01T00:20:00.000Z');
  assert.equal(next('0 9 * * MON-fri', '2026-01-03T00:00:00Z'), '2026-01-05T09:00:00.000Z');
  assert.equal(next('30 4 1,15 * 5', '2026-01-02T05:00:00Z'), '2026-01-09T04:30:00.000Z', 'day of month or day of week');
  assert.equal(next('@hourly', '2026-01-01T00:00:00Z'), '2026-01-01T01:00:00.000Z');
  assert.equal(next('@every 1h30m', '2026-01-01T00:00:30.400Z'), '2026-01-01T01:30:30.000Z');
  assert.equal(next('0 0 30 2 *', '2026-01-01T00:00:00Z'), undefined, 'there is no 30 February');
});

test('a schedule is read in its time zone, across the change to summer time', () => {
  assert.equal(next('0 9 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin'), '2026-03-29T07:00:00.000Z');
  assert.equal(next('0 9 * * *', '2026-03-27T12:00:00Z', 'Europe/Berlin'), '2026-03-28T08:00:00.000Z');
});

test('what cannot be understood is refused with a reason', () => {
  const refused: [string, string][] = [
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
    ['* * L * *', 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax'],
  ];
  for (const [schedule, message] of refused) assert.throws(() => parseSchedule(schedule), { message }, schedule);
});
