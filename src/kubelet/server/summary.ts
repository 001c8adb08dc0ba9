// `/stats/summary`: what the node's pods use. CPU rates come from two readings; before the second there is none.
import type { Pod } from '#api/generated/core-v1.ts';
import { toTime } from '#lib/clock.ts';
import type { KubeletContext } from '../context.ts';
import type { ContainerUsage } from '../runtime/runtime.ts';

interface Reading {
  atMs: number;
  nanoSeconds: number;
  rate?: number;
}

/** Two readings closer than this say nothing about a rate. */
const shortestMs = 1000;

export function createSummary(context: Pick<KubeletContext, 'runtime' | 'clock' | 'nodeName'>): (pods: readonly Pod[]) => Promise<object> {
  const { runtime, clock, nodeName } = context;
  let readings = new Map<string, Reading>();

  return async (pods) => {
    const nowMs = clock.now();
    const time = toTime(nowMs);
    const fresh = new Map<string, Reading>();
    const rateOf = (key: string, nanoSeconds: number): number | undefined => {
      const before = readings.get(key);
      if (before !== undefined && nowMs - before.atMs < shortestMs) {
        fresh.set(key, before);
        return before.rate;
      }
      const rate =
        before === undefined || nanoSeconds < before.nanoSeconds
          ? undefined
          : Math.round(((nanoSeconds - before.nanoSeconds) / (nowMs - before.atMs)) * 1000);
      fresh.set(key, { atMs: nowMs, nanoSeconds, ...(rate !== undefined && { rate }) });
      return rate;
    };
    const cpu = (key: string, nanoSeconds: number): object => {
      const rate = rateOf(key, nanoSeconds);
      return { time, ...(rate !== undefined && { usageNanoCores: rate }), usageCoreNanoSeconds: nanoSeconds };
    };
    const memory = (used: ContainerUsage[]): object => ({
      time,
      usageBytes: sum(used, 'memoryUsageBytes'),
      workingSetBytes: sum(used, 'memoryWorkingSetBytes'),
    });
    const usages = await runtime.usage();
    const summaries = usages.map(({ pod, containers, networkRxBytes, networkTxBytes }) => {
      const used = [...containers.values()];
      const startTime = pods.find(({ metadata }) => metadata.uid === pod.uid)?.status?.startTime ?? time;
      return {
        podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
        startTime,
        containers: [...containers].map(([name, usage]) => ({
          name,
          startTime,
          cpu: cpu(`${pod.uid}/${name}`, usage.cpuCoreNanoSeconds),
          memory: memory([usage]),
          rootfs: { time, usedBytes: usage.rootfsUsedBytes },
        })),
        cpu: cpu(pod.uid, sum(used, 'cpuCoreNanoSeconds')),
        memory: memory(used),
        network: { time, name: 'eth0', rxBytes: networkRxBytes, txBytes: networkTxBytes },
      };
    });
    const all = usages.flatMap(({ containers }) => [...containers.values()]);
    const node = { nodeName, startTime: time, cpu: cpu('', sum(all, 'cpuCoreNanoSeconds')), memory: memory(all) };
    readings = fresh;
    return { node, pods: summaries };
  };
}

function sum(usages: ContainerUsage[], field: keyof ContainerUsage): number {
  let total = 0;
  for (const usage of usages) total += usage[field];
  return total;
}
