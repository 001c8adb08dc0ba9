// keks down: stops the daemon and everything that it runs; all state stays for the next `keks up`. After a kill -9 of the daemon, too,
// when nobody is left to ask but nodes and containers still run.
import { access, rm } from 'node:fs/promises';
import { systemClock } from '#lib/clock.ts';
import { fileLog } from '#lib/file-log.ts';
import type { Home } from '#fleet/home.ts';
import { homeOf } from '#fleet/home.ts';
import type { HeldLock } from '#fleet/lock.ts';
import { tryLock } from '#fleet/lock.ts';
import { askDaemon, daemonStatus } from './daemon.ts';
import { CommandFailure } from './failure.ts';
import type { OutputFormat } from './output.ts';
import { print } from './output.ts';

const patienceMs = 60_000;

export async function down({ output }: { output: OutputFormat }): Promise<void> {
  const home = homeOf();
  const startedMs = systemClock.monotonicMs();
  const remains = await Promise.all([home.pidFile, home.daemonFile].map(isThere));
  if (!remains.includes(true)) return print(output, { stopped: false }, () => `keks was not running on ${home.directory}`);
  const { lock, pid } = await stopDaemon(home);
  try {
    await switchOffNodes(home);
    for (const file of [home.pidFile, home.daemonFile]) await rm(file, { force: true });
  } finally {
    lock.release();
  }
  const seconds = Number(((systemClock.monotonicMs() - startedMs) / 1000).toFixed(3));
  print(output, { stopped: true, ...(pid && { pid }), seconds }, () => 'keks is stopped; its state stays: keks up brings it back');
}

/** Asks the daemon to stop, also one that only now begins to answer; resolves when the home is nobody's. */
async function stopDaemon(home: Home): Promise<{ lock: HeldLock; pid?: number }> {
  const deadlineMs = systemClock.monotonicMs() + patienceMs;
  let pid: number | undefined;
  for (;;) {
    const status = pid === undefined ? await daemonStatus(home) : undefined;
    if (status !== undefined) {
      await askDaemon(home, '/-/shutdown', {});
      pid = status.pid;
    }
    const lock = tryLock(home.lockFile);
    if (lock !== undefined) return { lock, ...(pid !== undefined && { pid }) };
    if (systemClock.monotonicMs() > deadlineMs) {
      throw new CommandFailure(
        `${pid === undefined ? 'the daemon does not answer' : `process ${pid} does not end`}; see ${home.daemonLog}`,
      );
    }
    await systemClock.sleep(20);
  }
}

/** After a daemon that stopped by itself nothing is found here. */
async function switchOffNodes(home: Home): Promise<void> {
  const { hasNodeHome, stopNodeHome } = await import('#node-home.ts');
  if (!(await hasNodeHome(home.directory))) return;
  await stopNodeHome({ home: home.directory, clock: systemClock, log: fileLog(home.daemonLog) });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
