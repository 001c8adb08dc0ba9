// What budgets say to an eviction: no, or yes at the price of one disruption, taken off in the same write that checks it.
import { isPodReady } from '#api/core/pod-state.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import { poddisruptionbudgets } from '#api/generated/resources.ts';
import type { ApiError } from '#api/meta/errors.ts';
import { failure, forbidden } from '#api/meta/errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { withDisruptionAllowed } from '#api/policy/disruption-allowed.ts';
import { toTime } from '#lib/clock.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { modify } from '../registry/write.ts';

/** More evictions than this may not wait for the disruption controller to confirm them. */
const maxDisruptedPods = 2000;
const retryAfterSeconds = 10;

/** Throws where a budget does not let the pod go. */
export async function chargeBudget(core: Core, pod: Pod, dryRun: boolean): Promise<void> {
  if (needsNoBudget(pod)) return;
  const budgets = core.view.cachedList(poddisruptionbudgets, pod.metadata.namespace).filter((budget) => isAbout(budget, pod));
  if (budgets.length > 1) {
    throw failure(500, '', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
  }
  const [budget] = budgets;
  if (budget === undefined || mayGoUnhealthy(budget, pod)) return;
  const resource = core.resources.of(poddisruptionbudgets) as unknown as ServedResource;
  const name = budget.metadata.name!;
  const target = { resource, key: resource.keyOf(pod.metadata.namespace, name), name, dryRun };
  await modify(core, target, (current) => {
    if (current === undefined) return { keep: true };
    return { put: charged(current.object as unknown as PodDisruptionBudget, pod, core.clock.now()) as unknown as KubeObject };
  });
}

/** A pod that has ended, never ran or is going anyway is nobody's loss. */
function needsNoBudget({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '');
}

/** A budget without a selector is about no pod, an empty one about all of its namespace. */
function isAbout({ spec }: PodDisruptionBudget, pod: Pod): boolean {
  return spec?.selector !== undefined && selectorOfLabelSelector(spec.selector).matches(pod.metadata.labels);
}

function mayGoUnhealthy({ spec, status }: PodDisruptionBudget, pod: Pod): boolean {
  if (isPodReady(pod)) return false;
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function charged(budget: PodDisruptionBudget, pod: Pod, nowMs: number): PodDisruptionBudget {
  const { metadata, status = {} } = budget;
  const name = metadata.name!;
  const { disruptionsAllowed = 0, disruptedPods = {} } = status;
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refusal(`The disruption budget ${name} is still being processed by the server.`, retryAfterSeconds);
  }
  if (disruptionsAllowed < 0) throw forbidden(poddisruptionbudgets, name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > maxDisruptedPods) {
    throw forbidden(poddisruptionbudgets, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed === 0) {
    const { desiredHealthy = 0, currentHealthy = 0 } = status;
    throw refusal(`The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`, 0);
  }
  const left = { ...status, disruptionsAllowed: disruptionsAllowed - 1 };
  const next = { ...budget, status: { ...left, disruptedPods: { ...disruptedPods, [pod.metadata.name!]: toTime(nowMs) } } };
  if (left.disruptionsAllowed === 0) next.status.conditions = withDisruptionAllowed(next, toTime(nowMs));
  return next;
}

function refusal(message: string, seconds: number): ApiError {
  const text = "Cannot evict pod as it would violate the pod's disruption budget.";
  const details = { ...(seconds > 0 && { retryAfterSeconds: seconds }), causes: [{ reason: 'DisruptionBudget', message }] };
  return failure(429, 'TooManyRequests', text, details);
}
