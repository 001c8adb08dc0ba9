// When a CronJob is due: its latest time up to now, how many there were since the last one that it kept, and the next.
import type { Schedule } from '#api/batch/schedule.ts';
import type { CronJob } from '#api/generated/batch-v1.ts';

export interface Due {
  /** The latest time up to now that was not yet kept; undefined: there is none. */
  timeMs: number | undefined;
  /** So many were missed that somebody should know. */
  tooMany: boolean;
  nextMs: number | undefined;
}

const manyMissed = 100;

export function dueOf({ metadata, spec, status }: CronJob, schedule: Schedule, nowMs: number): Due {
  const nextMs = schedule.after(nowMs);
  const lastMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '');
  const deadlineMs = spec.startingDeadlineSeconds === undefined ? -Infinity : nowMs - spec.startingDeadlineSeconds * 1000;
  let missed = 0;
  let timeMs: number | undefined;
  for (let ms = schedule.after(Math.max(lastMs, deadlineMs)); ms !== undefined && ms <= nowMs; ms = schedule.after(ms)) {
    timeMs = ms;
    missed++;
    if (missed > manyMissed) return { timeMs: latest(schedule, nowMs) ?? ms, tooMany: true, nextMs };
  }
  return { timeMs, tooMany: false, nextMs };
}

/** Looks back ever further until something was due, then goes forward to the last of it. */
function latest(schedule: Schedule, nowMs: number): number | undefined {
  for (let backMs = 60_000; backMs < nowMs; backMs *= 2) {
    let found: number | undefined;
    for (let ms = schedule.after(nowMs - backMs); ms !== undefined && ms <= nowMs; ms = schedule.after(ms)) found = ms;
    if (found !== undefined) return found;
  }
  return undefined;
}
