// Starts the daemon in the background and waits until it says that it is up, or why not.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#lib/clock.ts';
import type { Home } from '#fleet/home.ts';
import { daemonStatus } from './daemon.ts';
import { CommandFailure } from './failure.ts';
import type { UpSettings } from './settings.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const joinPatienceMs = 60_000;

/** What the daemon writes on descriptor 3 before it goes on by itself: nothing else, and once. */
export type StartReport = { ready: true } | { homeTaken: true } | { error: string };

export async function startDaemon(home: Home, settings: UpSettings): Promise<void> {
  mkdirSync(home.logs, { recursive: true, mode: 0o700 });
  const log = openSync(home.daemonLog, 'a', 0o600);
  const flags = ['--runtime', settings.runtime, '--port', String(settings.port), '--region', settings.region];
  const child = spawn(process.execPath, [...process.execArgv, main, 'daemon', ...flags], {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env: { ...process.env, KEKS_HOME: home.directory },
    cwd: home.directory,
  });
  closeSync(log);
  child.unref();
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const said = await Promise.race([text(child.stdio[3] as Readable), failed]);
  const report = (said === '' ? { error: `the daemon ended before it was up; see ${home.daemonLog}` } : JSON.parse(said)) as StartReport;
  if ('error' in report) throw new CommandFailure(report.error);
  // Someone else's `keks up` was first: theirs is the daemon to use.
  if ('homeTaken' in report) await untilOtherIsUp(home);
}

async function untilOtherIsUp(home: Home): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + joinPatienceMs;
  while (systemClock.monotonicMs() < deadlineMs) {
    if ((await daemonStatus(home)) !== undefined) return;
    await systemClock.sleep(25);
  }
  throw new CommandFailure(`another keks holds ${home.directory} but does not answer; see ${home.daemonLog}`);
}
