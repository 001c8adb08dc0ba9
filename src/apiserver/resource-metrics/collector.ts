// What pods use, asked of their nodes when somebody wants to know. A rate needs two samples: an earlier one that is young enough,
// or a second one taken a moment later. While nobody asks, nothing is measured.
import type { KubeletDirectory } from '#client/kubelet-connection.ts';
import type { Clock } from '#lib/clock.ts';

export interface Usage {
  cpuNanoCores: number;
  memoryBytes: number;
}

export interface NodeUsage extends Usage {
  timestampMs: number;
  windowMs: number;
  /** By `namespace/name` of the pod and name of the container. */
  pods: Map<string, Map<string, Usage>>;
}

export interface UsageCollector {
  /** Undefined while the node cannot be asked. */
  usageOf(nodeName: string): Promise<NodeUsage | undefined>;
}

interface Sample {
  atMs: number;
  node: Reading;
  pods: Map<string, Map<string, Reading>>;
}

interface Reading {
  cpuNanoSeconds: number;
  memoryBytes: number;
}

/** The kubelet's summary API, as far as it is read here. */
interface Summary {
  node: Readings;
  pods?: { podRef: { name: string; namespace: string }; containers?: (Readings & { name: string })[] }[];
}

interface Readings {
  cpu?: { usageCoreNanoSeconds?: number };
  memory?: { workingSetBytes?: number };
}

const shortestWindowMs = 1000;
const longestWindowMs = 60_000;
/** Further askers within this time get the same answer. */
const freshMs = 5000;

export function createUsageCollector({ kubelets, clock }: { kubelets: KubeletDirectory; clock: Clock }): UsageCollector {
  const samples = new Map<string, Sample>();
  const answers = new Map<string, { atMs: number; usage: Promise<NodeUsage | undefined> }>();

  const sample = async (nodeName: string): Promise<Sample | undefined> => {
    const response = await kubelets(nodeName)?.get('/stats/summary');
    if (response?.status !== 200) return undefined;
    return readSample(JSON.parse(response.body) as Summary, clock.now());
  };

  const measure = async (nodeName: string): Promise<NodeUsage | undefined> => {
    let before = samples.get(nodeName);
    let now = await sample(nodeName);
    if (now === undefined) return undefined;
    if (before === undefined || now.atMs - before.atMs > longestWindowMs || now.atMs - before.atMs < shortestWindowMs) {
      before = now;
      await clock.sleep(shortestWindowMs);
      now = await sample(nodeName);
      if (now === undefined) return undefined;
    }
    samples.set(nodeName, now);
    return usageBetween(before, now);
  };

  return {
    usageOf(nodeName) {
      const known = answers.get(nodeName);
      if (known !== undefined && clock.now() - known.atMs < freshMs) return known.usage;
      // A node that does not answer is one without metrics, as with a metrics server that cannot scrape it.
      const usage = measure(nodeName).catch(() => undefined);
      answers.set(nodeName, { atMs: clock.now(), usage });
      return usage;
    },
  };
}

function readSample(summary: Summary, atMs: number): Sample {
  const pods = new Map<string, Map<string, Reading>>();
  for (const { podRef, containers = [] } of summary.pods ?? []) {
    pods.set(`${podRef.namespace}/${podRef.name}`, new Map(containers.map((container) => [container.name, readingOf(container)])));
  }
  return { atMs, node: readingOf(summary.node), pods };
}

function readingOf({ cpu, memory }: Readings): Reading {
  return { cpuNanoSeconds: cpu?.usageCoreNanoSeconds ?? 0, memoryBytes: memory?.workingSetBytes ?? 0 };
}

function usageBetween(before: Sample, now: Sample): NodeUsage {
  const windowMs = Math.max(1, now.atMs - before.atMs);
  // A container that was restarted in between counts from zero again.
  const usage = (was: Reading | undefined, is: Reading): Usage => ({
    cpuNanoCores: Math.max(0, Math.round(((is.cpuNanoSeconds - (was?.cpuNanoSeconds ?? 0)) * 1000) / windowMs)),
    memoryBytes: is.memoryBytes,
  });
  const pods = new Map<string, Map<string, Usage>>();
  for (const [pod, containers] of now.pods) {
    // A pod without an earlier reading has no rate yet.
    const earlier = before.pods.get(pod);
    if (earlier === undefined) continue;
    pods.set(pod, new Map([...containers].map(([name, reading]) => [name, usage(earlier.get(name) ?? reading, reading)])));
  }
  return { ...usage(before.node, now.node), timestampMs: now.atMs, windowMs, pods };
}
