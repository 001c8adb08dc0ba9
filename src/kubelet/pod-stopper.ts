// Ends a pod's containers: ordinary ones first and together, then sidecars in reverse order; a shorter grace period overtakes a longer one.
import type { Pod } from '#api/generated/core-v1.ts';
import { stopContainer } from './container-lifecycle.ts';
import type { KubeletContext } from './context.ts';
import type { ContainerView, PodView } from './pod-view.ts';
import { podIpsOf } from './pod-starter.ts';

const retryMs = 1000;

interface Stopping {
  deadlineMs: number;
}

export interface Stopper {
  /** Ids of containers that are being stopped. */
  readonly stopping: ReadonlySet<string>;
  stop(view: PodView, container: ContainerView, options: { graceSeconds: number; message: string }): void;
  /** Stops the pod's containers in their order; answers whether any of them still runs. */
  stopAll(view: PodView, graceSeconds: number): boolean;
}

export function createStopper(context: KubeletContext, changed: () => void): Stopper {
  const deadlines = new Map<string, Stopping>();
  const stopping = new Set<string>();
  const { clock, log } = context;

  const stopInstance = (
    pod: Pod,
    view: PodView,
    instance: { id: string; name: string },
    { graceSeconds, message }: { graceSeconds: number; message: string },
  ): void => {
    const deadlineMs = clock.now() + graceSeconds * 1000;
    const known = deadlines.get(instance.id);
    if (known !== undefined && known.deadlineMs <= deadlineMs) return;
    deadlines.set(instance.id, { deadlineMs });
    stopping.add(instance.id);
    const container = known === undefined ? specOf(view, instance.name) : undefined;
    const podIps = podIpsOf(pod, view.sandbox, context);
    stopContainer({ pod, container, containerId: instance.id, podIps, graceSeconds, message }, context)
      .catch(async (error: unknown) => {
        log.warn({ err: error, container: instance.name }, 'container not stopped, will be tried again');
        await clock.sleep(retryMs);
      })
      .finally(() => {
        deadlines.delete(instance.id);
        stopping.delete(instance.id);
        changed();
      })
      .catch(() => undefined);
  };

  return {
    stopping,
    stop(view, container, options) {
      stopInstance(view.pod, view, container.current!, options);
    },
    stopAll(view, graceSeconds) {
      const sidecars = view.init.filter(({ kind }) => kind === 'sidecar').map(({ spec }) => spec.name);
      const running = view.instances.filter(({ state }) => state === 'running');
      const ordinary = running.filter(({ name }) => !sidecars.includes(name));
      // Sidecars outlive what they serve, the last one goes first.
      const next = ordinary.length > 0 ? ordinary : running.sort((a, b) => sidecars.indexOf(b.name) - sidecars.indexOf(a.name)).slice(0, 1);
      for (const instance of next) stopInstance(view.pod, view, instance, { graceSeconds, message: '' });
      return running.length > 0;
    },
  };
}

function specOf(view: PodView, name: string): ContainerView['spec'] | undefined {
  return [...view.init, ...view.main, ...view.ephemeral].find(({ spec }) => spec.name === name)?.spec;
}
