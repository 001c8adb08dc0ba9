// The daemon's own process: runs the fleet until it is told to stop.
import { closeSync, writeSync } from 'node:fs';
import { systemClock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import { fileLog } from '#lib/file-log.ts';
import { systemRandom } from '#lib/random.ts';
import type { Fleet } from '#fleet.ts';
import { HomeTakenError, PortTakenError, startFleet } from '#fleet.ts';
import type { Home, RuntimeKind } from '#fleet/home.ts';
import { homeOf } from '#fleet/home.ts';
import type { NodeProvider } from '#fleet/node-provider.ts';
import { CommandFailure } from './failure.ts';
import type { UpSettings } from './settings.ts';
import { chooseRuntime } from './settings.ts';
import type { StartReport } from './start-daemon.ts';
import { version } from './version.ts';

type DaemonSettings = Pick<UpSettings, 'runtime' | 'port' | 'region'>;

/** Less than `keks down` waits. */
const longestStopMs = 45_000;

/** In the background: tells whoever started it on descriptor 3. */
export async function runDaemon(settings: DaemonSettings): Promise<void> {
  const home = homeOf();
  const stop = stopRequest();
  try {
    const fleet = await start(home, settings, stop.ask);
    tell({ ready: true });
    await stop.asked;
    // A stop that hangs must not hold the home for ever: whatever is left, the next keks down finds and removes.
    systemClock.after(longestStopMs, () => process.exit(1));
    await fleet.stop();
  } catch (error) {
    tell(error instanceof HomeTakenError ? { homeTaken: true } : { error: (error as Error).message });
    throw error;
  }
}

export async function runForeground(home: Home, settings: DaemonSettings, afterStart: () => Promise<void>): Promise<void> {
  const stop = stopRequest();
  let fleet: Fleet;
  try {
    fleet = await start(home, settings, stop.ask);
  } catch (error) {
    if (error instanceof HomeTakenError || error instanceof PortTakenError) throw new CommandFailure(error.message, 1, { cause: error });
    throw error;
  }
  try {
    await afterStart();
    await stop.asked;
  } finally {
    await fleet.stop();
  }
}

async function start(home: Home, settings: DaemonSettings, onShutdown: () => void): Promise<Fleet> {
  const log = fileLog(home.daemonLog);
  const provider = await providerOf(await chooseRuntime(settings.runtime), home, log);
  const { port, region } = settings;
  return startFleet({ home, port, region, provider, version, clock: systemClock, random: systemRandom, log, onShutdown });
}

async function providerOf(kind: RuntimeKind, home: Home, log: Log): Promise<NodeProvider> {
  const shared = { clock: systemClock, random: systemRandom, log };
  if (kind === 'simulated') return (await import('#fleet/simulated-provider.ts')).simulatedProvider(shared);
  return (await import('#fleet/machines-provider.ts')).machinesProvider({ ...shared, home: home.directory });
}

function stopRequest(): { asked: Promise<void>; ask: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  return { asked: promise, ask: resolve };
}

function tell(report: StartReport): void {
  try {
    writeSync(3, JSON.stringify(report));
    closeSync(3);
  } catch {
    // Started by hand, without anybody on descriptor 3.
  }
}
