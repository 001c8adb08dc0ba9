// What all real nodes of a home share: its machines and its image registry. Opened or adopted, kept alive while the daemon runs, and
// switched off without being forgotten, as computers are: their files stay, and the next start finds them as after a reboot.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createContainerdRuntime } from '#kubelet/runtime/containerd/runtime.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Machines } from '#network/machine/machines.ts';
import { createMachines, registryAddress, runningSockets, stopEverything } from '#network/machine/machines.ts';
import type { Registry } from '#network/registry/registry-server.ts';
import { ensureRegistry, registryRuns, stopRegistry } from '#network/registry/registry-server.ts';

export interface NodeHome {
  home: string;
  machines: Machines;
  registry: Registry;
  /** Lets go: machines, containers and the registry go on, for whoever opens the home next. */
  release(): Promise<void>;
}

export interface NodeHomeOptions {
  home: string;
  clock: Clock;
  log: Log;
}

/** How often it is looked whether the registry lives. */
const healMs = 2000;
/** What containers get to end by themselves, whatever their pods ask for: a computer that is switched off does not wait longer. */
const graceMs = 4000;
const graceMarginMs = 2000;
const registryMirror = `http://${registryAddress.address}:${registryAddress.port}`;

export async function openNodeHome(options: NodeHomeOptions): Promise<NodeHome> {
  const { home, clock } = options;
  const machines = await createMachines(options);
  const registry = await ensureRegistry({ home, clock, mirror: registryMirror });
  const supervision = superviseRegistry(options, registry);
  return {
    home,
    machines,
    registry,
    async release() {
      await supervision.stop();
      await machines.close();
    },
  };
}

/** Whether a home ever had real nodes: if not there is nothing to switch off, nor may there be the programs to do it with. */
export async function hasNodeHome(home: string): Promise<boolean> {
  for (const name of ['machines', 'registry']) {
    const isThere = await access(join(home, name)).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}

/**
 * Switches a home's machines off, also one that nobody opened: containers are asked to end, all at once and for a few seconds at most, then
 * everything that is still there goes. Nobody may use the home meanwhile.
 */
export async function stopNodeHome({ home, clock, log }: NodeHomeOptions): Promise<void> {
  const sockets = await runningSockets(home);
  await Promise.all([stopRegistry(home, clock), ...sockets.map((socket) => stopContainers(socket, { clock, log }))]);
  await stopEverything({ home, clock });
}

/** Never rejects: what does not end by itself is ended. */
async function stopContainers(socket: string, { clock, log }: { clock: Clock; log: Log }): Promise<void> {
  const runtime = createContainerdRuntime({ socket, clock, log });
  const stopped = async () => {
    const containers = (await runtime.pods()).flatMap((pod) => pod.containers).filter(({ state }) => state === 'running');
    await Promise.all(containers.map(({ id }) => runtime.stopContainer(id, graceMs / 1000)));
  };
  try {
    await Promise.race([stopped(), clock.sleep(graceMs + graceMarginMs)]);
  } catch (error) {
    log.warn({ socket, error: (error as Error).message }, 'containers not asked to end');
  } finally {
    await runtime.close();
  }
}

function superviseRegistry(options: NodeHomeOptions, registry: Registry): { stop(): Promise<void> } {
  const { home, clock, log } = options;
  const heal = async (): Promise<void> => {
    try {
      if (await registryRuns(home)) return;
      log.warn({ port: registry.port }, 'the image registry ended, starting it again');
      // Machines know its port: no other will do.
      await ensureRegistry({ home, clock, mirror: registryMirror, port: registry.port });
    } catch (error) {
      log.error({ error: (error as Error).message }, 'image registry not started');
    }
  };
  let healing: Promise<void> | undefined;
  const timer = clock.every(healMs, () => {
    healing ??= heal().finally(() => (healing = undefined));
  });
  return {
    async stop() {
      timer.cancel();
      await healing;
    },
  };
}
