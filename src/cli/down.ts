// keks down: stops the daemon and what it runs; all state stays for the next `keks up`.
import { systemClock } from '#lib/clock.ts';
import type { RuntimeKind } from '#fleet/home.ts';
import { homeOf } from '#fleet/home.ts';
import { askDaemon, daemonStatus } from './daemon.ts';
import { CommandFailure } from './failure.ts';
import type { OutputFormat } from './output.ts';
import { print } from './output.ts';

const patienceMs = 60_000;

export async function down({ output }: { output: OutputFormat }): Promise<void> {
  const home = homeOf();
  const status = await daemonStatus(home);
  if (status === undefined) return print(output, { stopped: false }, () => `keks was not running on ${home.directory}`);
  await askDaemon(home, '/-/shutdown', {});
  const deadlineMs = systemClock.monotonicMs() + patienceMs;
  while (isAlive(status.pid)) {
    if (systemClock.monotonicMs() > deadlineMs) throw new CommandFailure(`process ${status.pid} does not end; see ${home.daemonLog}`);
    await systemClock.sleep(10);
  }
  print(output, { stopped: true, pid: status.pid }, () => stoppedText(status.runtime));
}

/** Machines are the nodes' own: they outlive the daemon, as EC2 instances outlive a control plane that is away. */
function stoppedText(runtime: RuntimeKind): string {
  const containers = runtime === 'containerd' ? 'containers on its nodes keep running; ' : '';
  return `keks is stopped; ${containers}its state stays: keks up brings it back`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
