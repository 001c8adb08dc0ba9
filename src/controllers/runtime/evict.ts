// Ends a pod from outside: its status first says why (and Failed where it will not get to say so itself), then it is deleted.
import type { Pod } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { toTime } from '#lib/clock.ts';
import type { ControllerContext } from './controller.ts';
import { isPodTerminal } from '#api/core/pod-state.ts';

export interface Ending {
  /** The DisruptionTarget condition; unset: none. */
  disruption?: { reason: string; message: string };
  /** Sets the phase of a pod that nobody else will finish. */
  fail?: boolean;
  gracePeriodSeconds?: number;
}

export async function endPod({ client, clock }: ControllerContext, pod: Pod, ending: Ending): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const ref = { namespace, name: name! };
  const now = toTime(clock.now());
  const conditions = ending.disruption && [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime: now, ...ending.disruption }];
  const phase = ending.fail && !isPodTerminal(pod) ? 'Failed' : undefined;
  try {
    if (phase !== undefined || (conditions !== undefined && !isPodTerminal(pod))) {
      const body = { metadata: { uid }, status: { ...(phase && { phase }), ...(conditions && { conditions }) } };
      await client.patch(pods, ref, { type: 'strategic', body }, { subresource: 'status' });
    }
    await client.delete(pods, ref, { preconditions: { uid }, gracePeriodSeconds: ending.gracePeriodSeconds });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
