// What the scheduler writes to the API: bindings, the condition of pods that found no node, the node that volumes are to be made for.
import { podCondition } from '#api/core/pod-state.ts';
import type { PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { persistentvolumeclaims, pods } from '#api/generated/resources.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { keyOf, refOf } from '#api/meta/object.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Clock } from '#lib/clock.ts';
import { toTime } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import { withSelectedNode } from './plugins/volume-binding.ts';

export interface PodWriter {
  /** Answers why it failed. */
  bind(pod: Pod, nodeName: string): Promise<Error | undefined>;
  reportUnschedulable(pod: Pod, message: string): Promise<void>;
  askForVolumes(claims: readonly PersistentVolumeClaim[], nodeName: string): Promise<void>;
}

export function createPodWriter({
  client,
  clock,
  log,
  events,
}: {
  client: Client;
  clock: Clock;
  log: Log;
  events: EventRecorder;
}): PodWriter {
  return {
    async bind(pod, nodeName) {
      const { name, namespace, uid } = pod.metadata;
      const ref = { namespace: namespace!, name: name! };
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { ...ref, uid: uid! }, target: { kind: 'Node', name: nodeName } };
      try {
        await client.create<KubeObject>(pods as ResourceType, binding, { subresource: 'binding' }, ref);
        events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${nodeName}`);
        return undefined;
      } catch (error) {
        log.warn({ pod: keyOf(pod), node: nodeName, error: (error as Error).message }, 'binding failed');
        return error as Error;
      }
    },
    async reportUnschedulable(pod, message) {
      events.event(pod, 'Warning', 'FailedScheduling', message);
      const known = podCondition(pod, 'PodScheduled');
      if (known?.status === 'False' && known.reason === 'Unschedulable' && known.message === message) return;
      const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : toTime(clock.now());
      const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime };
      try {
        await client.patch(
          pods,
          refOf(keyOf(pod)),
          { type: 'strategic', body: { status: { conditions: [condition] } } },
          { subresource: 'status' },
        );
      } catch (error) {
        if (!isNotFound(error)) log.warn({ pod: keyOf(pod), error: (error as Error).message }, 'the condition could not be written');
      }
    },
    async askForVolumes(claims, nodeName) {
      for (const claim of claims) {
        try {
          await client.patch(persistentvolumeclaims, refOf(keyOf(claim)), { type: 'merge', body: withSelectedNode(nodeName) });
        } catch (error) {
          log.warn({ claim: keyOf(claim), error: (error as Error).message }, 'the selected node could not be written');
        }
      }
    },
  };
}
