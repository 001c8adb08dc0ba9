// Empties a node before its instance ends: cordon, evict what may be evicted, wait until it is gone — as managed node groups do.
import type { Pod } from '#api/generated/core-v1.ts';
import type { Eviction } from '#api/generated/policy-v1.ts';
import { nodes, pods } from '#api/generated/resources.ts';
import { isNotFound, isReason } from '#api/meta/errors.ts';
import type { ResourceType } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import type { Clock } from '#lib/clock.ts';

/** EKS gives a pod 15 minutes before the update fails; then the instance ends all the same. */
const patienceMs = 15 * 60_000;
const retryMs = 1000;
const lookMs = 50;

/** Resolves when no pod is left to wait for, or patience has ended. A node that is gone already is drained. */
export async function drain(client: Client, nodeName: string, clock: Clock): Promise<void> {
  const cordon = { type: 'merge', body: { spec: { unschedulable: true } } } as const;
  try {
    await client.patch(nodes, { name: nodeName }, cordon);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  const deadlineMs = clock.monotonicMs() + patienceMs;
  const refusedAtMs = new Map<string, number>();
  for (;;) {
    const { items } = await client.list(pods, { fieldSelector: `spec.nodeName=${nodeName}` });
    const left = items.filter(isEvictable);
    if (left.length === 0 || clock.monotonicMs() > deadlineMs) return;
    for (const pod of left) {
      const lastMs = refusedAtMs.get(pod.metadata.uid!);
      const again = lastMs === undefined || clock.monotonicMs() - lastMs >= retryMs;
      if (pod.metadata.deletionTimestamp === undefined && again && !(await evict(client, pod))) {
        refusedAtMs.set(pod.metadata.uid!, clock.monotonicMs());
      }
    }
    await clock.sleep(lookMs);
  }
}

/** Pods of daemon sets would only come back, static pods belong to the node, finished ones run nothing. */
function isEvictable({ metadata, status }: Pod): boolean {
  if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return false;
  if (metadata.ownerReferences?.some(({ kind, controller }) => kind === 'DaemonSet' && controller)) return false;
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** False if a disruption budget refuses for now. */
async function evict(client: Client, { metadata }: Pod): Promise<boolean> {
  const ref = { namespace: metadata.namespace!, name: metadata.name! };
  const eviction: Eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: ref };
  try {
    await client.create(pods as unknown as ResourceType<Eviction>, eviction, { subresource: 'eviction' }, ref);
    return true;
  } catch (error) {
    if (isNotFound(error)) return true;
    if (isReason(error, 'TooManyRequests')) return false;
    throw error;
  }
}
