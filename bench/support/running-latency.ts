// From the create call of a pod to the event that says it runs, one pod after the other.
import { pods } from '#api/generated/resources.ts';
import type { Client } from '#client/client.ts';
import { percentile } from '../summary.ts';
import { samplePod } from './sample-pods.ts';

export interface LatencyOptions {
  count: number;
  image?: string;
  warmUp?: number;
}

export async function runningLatency(client: Client, options: LatencyOptions): Promise<{ p50: number; p99: number }> {
  const { count, warmUp = 0, image = 'nginx' } = options;
  const waiting = new Map<string, () => void>();
  const { metadata } = await client.list(pods, { namespace: 'default' });
  const watch = client.watch(pods, { namespace: 'default', resourceVersion: metadata.resourceVersion! }, (events) => {
    for (const event of events) {
      if (event.type === 'BOOKMARK' || event.object.status?.phase !== 'Running') continue;
      waiting.get(event.object.metadata.name!)?.();
    }
  });
  const times: number[] = [];
  for (let number = 0; number < warmUp + count; number++) {
    const name = `latency-${number}`;
    const running = new Promise<void>((resolve) => waiting.set(name, resolve));
    const spec = { containers: [{ name: 'web', image, command: ['sleep', '100000'] }], terminationGracePeriodSeconds: 0 };
    const start = performance.now();
    await client.create(pods, samplePod(name, spec));
    await running;
    if (number >= warmUp) times.push(performance.now() - start);
    waiting.delete(name);
    await client.delete(pods, { namespace: 'default', name }, { gracePeriodSeconds: 0 });
  }
  watch.close();
  times.sort((one, other) => one - other);
  return { p50: percentile(times, 50), p99: percentile(times, 99) };
}
