// The probes of a node's running containers, and what they say. Pods without probes cost nothing here.
import type { KubeletContext } from '../context.ts';
import type { ProbeVerdict } from '../plan.ts';
import type { ContainerView, PodView } from '../pod-view.ts';
import { isRunning } from '../pod-view.ts';
import type { Probed, ProbeKind } from './prober.ts';
import { Prober } from './prober.ts';

export interface ProbeManager {
  /** Starts probes of containers that run, stops those of containers that do not. While a pod ends only readiness is asked. */
  sync(view: PodView, options: { podIp: string | undefined; ending: boolean; changed: () => void }): void;
  /** Undefined for containers without probes. */
  verdict(containerId: string): ProbeVerdict | undefined;
  forget(podUid: string): void;
  stop(): void;
}

interface Entry {
  probed: Probed;
  probers: Prober[];
}

const kinds: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

export function createProbeManager(context: KubeletContext): ProbeManager {
  const byPod = new Map<string, Map<string, Entry>>();
  const byContainer = new Map<string, Entry>();

  const drop = (podUid: string, containerId: string): void => {
    const entries = byPod.get(podUid);
    for (const prober of entries?.get(containerId)?.probers ?? []) prober.stop();
    entries?.delete(containerId);
    byContainer.delete(containerId);
    if (entries?.size === 0) byPod.delete(podUid);
  };
  const forget = (podUid: string): void => {
    for (const containerId of [...(byPod.get(podUid)?.keys() ?? [])]) drop(podUid, containerId);
  };

  return {
    sync(view, { podIp, ending, changed }) {
      const podUid = view.pod.metadata.uid!;
      const running = new Set<string>();
      for (const container of [...view.init, ...view.main]) {
        // A regular init container has no probes.
        if (container.kind === 'init' || !isRunning(container)) continue;
        const { id } = container.current!;
        running.add(id);
        const known = byContainer.get(id);
        if (known !== undefined) {
          known.probed.pod = view.pod;
          known.probed.podIp = podIp;
          if (ending) for (const prober of known.probers) if (prober.kind !== 'readiness') prober.stop();
        } else if (!ending) {
          const entry = probe(view, container, podIp, changed, context);
          if (entry === undefined) continue;
          byContainer.set(id, entry);
          byPod.set(podUid, (byPod.get(podUid) ?? new Map<string, Entry>()).set(id, entry));
          for (const prober of entry.probers) prober.start();
        }
      }
      for (const id of [...(byPod.get(podUid)?.keys() ?? [])]) if (!running.has(id)) drop(podUid, id);
    },
    verdict(containerId) {
      const entry = byContainer.get(containerId);
      return entry === undefined ? undefined : verdictOf(entry);
    },
    forget,
    stop() {
      for (const podUid of [...byPod.keys()]) forget(podUid);
    },
  };
}

/** Undefined for a container without probes. */
function probe(
  view: PodView,
  container: ContainerView,
  podIp: string | undefined,
  changed: () => void,
  context: KubeletContext,
): Entry | undefined {
  const probers: Prober[] = [];
  const current = container.current!;
  const probed: Probed = {
    pod: view.pod,
    container: container.spec,
    containerId: current.id,
    podIp,
    startedAtMs: current.startedAtMs ?? current.createdAtMs,
    isStarted: () => verdictOf({ probed, probers }).started,
    turned(prober) {
      // The others need not wait for their next turn.
      if (prober.kind === 'startup' && prober.result === 'success') for (const other of probers) other.probeNow();
      changed();
    },
  };
  for (const kind of kinds) {
    const spec = container.spec[`${kind}Probe`];
    if (spec !== undefined) probers.push(new Prober(kind, spec, probed, context));
  }
  return probers.length === 0 ? undefined : { probed, probers };
}

function verdictOf({ probers }: Entry): ProbeVerdict {
  const find = (kind: ProbeKind) => probers.find((prober) => prober.kind === kind);
  const [startup, liveness, readiness] = [find('startup'), find('liveness'), find('readiness')];
  const started = startup === undefined || startup.result === 'success';
  const failed = startup?.result === 'failure' ? 'startup' : liveness?.result === 'failure' ? 'liveness' : undefined;
  return { started, ready: started && (readiness === undefined || readiness.result === 'success'), ...(failed && { failed }) };
}
