// Pods on a node that is not heard of are not ready: services stop sending them traffic before they are evicted.
import type { Pod } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { toTime } from '#lib/clock.ts';
import type { ControllerContext } from '../runtime/controller.ts';
import { podCondition } from '#api/core/pod-state.ts';

/** Throws the first failure after all have been tried. */
export async function markPodsNotReady({ client, clock, events }: ControllerContext, onNode: readonly Pod[]): Promise<void> {
  const results = await Promise.allSettled(
    onNode.map(async (pod) => {
      const ready = podCondition(pod, 'Ready');
      if (ready === undefined || ready.status === 'False') return;
      events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
      const { namespace, name, uid } = pod.metadata;
      const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: toTime(clock.now()) }];
      const body = { metadata: { uid }, status: { conditions } };
      await client.patch(pods, { namespace, name: name! }, { type: 'strategic', body }, { subresource: 'status' });
    }),
  );
  for (const result of results) if (result.status === 'rejected' && !isNotFound(result.reason)) throw result.reason;
}
