// The disruption controller: tells for every disruption budget how many pods may be taken away now.
import type { Pod } from '#api/generated/core-v1.ts';
import { pods, poddisruptionbudgets } from '#api/generated/resources.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import { podCondition } from '#api/core/pod-state.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { keyOf } from '#api/meta/object.ts';
import { withDisruptionAllowed } from '#api/policy/disruption-allowed.ts';
import type { Informer } from '#client/informer.ts';
import { toTime } from '#lib/clock.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { messageOf } from '../runtime/failures.ts';
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts';
import type { Outcome, Reconciler } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { judgeBudget, pendingDisruptions } from './reconcile.ts';
import type { Expected, Scales } from './scales.ts';
import { createScales } from './scales.ts';

const goneConditions = ['Ready', 'DisruptionTarget'];

export const disruptionController: Controller = {
  name: 'disruption',
  serviceAccount: 'disruption-controller',
  start(context) {
    const budgets = context.informers.informer(poddisruptionbudgets);
    const podInformer = context.informers.informer(pods);
    budgets.addIndex(byNamespace, namespaceIndex);
    podInformer.addIndex(byNamespace, namespaceIndex);
    const scales = createScales(context);
    const reconciler = startReconciler(context, {
      name: 'disruption',
      waitFor: [budgets, podInformer, ...scales.informers],
      reconcile: (key) => reconcile(context, budgets.get(key), podInformer, scales),
    });
    const handlers = [
      budgets.addHandlers({
        added: (budget) => reconciler.enqueue(keyOf(budget)),
        updated: (_old, budget) => reconciler.enqueue(keyOf(budget)),
      }),
      watchPods(budgets, podInformer, reconciler),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

function watchPods(budgets: Informer<PodDisruptionBudget>, podInformer: Informer<Pod>, { enqueue }: Reconciler): () => void {
  const enqueueFor = (pod: Pod): void => {
    for (const budget of budgets.byIndex(byNamespace, pod.metadata.namespace!)) if (isAbout(budget, pod)) enqueue(keyOf(budget));
  };
  return podInformer.addHandlers({
    added: enqueueFor,
    updated(old, pod) {
      const isSame =
        saysTheSame(old.metadata.labels, pod.metadata.labels) &&
        old.metadata.deletionTimestamp === pod.metadata.deletionTimestamp &&
        old.status?.phase === pod.status?.phase &&
        goneConditions.every((type) => podCondition(old, type)?.status === podCondition(pod, type)?.status);
      if (isSame) return;
      enqueueFor(old);
      enqueueFor(pod);
    },
    deleted: enqueueFor,
  });
}

function isAbout({ spec }: PodDisruptionBudget, pod: Pod): boolean {
  return spec?.selector !== undefined && selectorOfLabelSelector(spec.selector).matches(pod.metadata.labels);
}

async function reconcile(
  context: ControllerContext,
  budget: PodDisruptionBudget | undefined,
  podInformer: Informer<Pod>,
  scales: Scales,
): Promise<Outcome | undefined> {
  if (budget === undefined) return undefined;
  const { clock, events } = context;
  const selected = podInformer.byIndex(byNamespace, budget.metadata.namespace!).filter((pod) => isAbout(budget, pod));
  if (selected.length === 0) events.event(budget, 'Normal', 'NoPods', 'No matching pods found');
  let expected: Expected;
  try {
    // A plain number to be kept needs nobody who knows how many there should be.
    expected = typeof budget.spec.minAvailable === 'number' ? { count: 0, unmanaged: [] } : await scales.expectedOf(selected);
  } catch (error) {
    const text = `Failed to calculate the number of expected pods: ${messageOf(error)}`;
    events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', text);
    await failSafe(context, budget, messageOf(error));
    throw error;
  }
  if (expected.unmanaged.length > 0) events.event(budget, 'Warning', 'UnmanagedPods', unmanagedText(budget));
  const pending = pendingDisruptions(budget, selected, clock.now());
  for (const pod of pending.forgotten) {
    events.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`);
  }
  const counts = judgeBudget(budget, selected, expected.count, pending.disruptedPods);
  const next = { ...budget, status: { ...budget.status, ...counts, observedGeneration: budget.metadata.generation } };
  await write(context, { ...next, status: { ...next.status, conditions: withDisruptionAllowed(next, toTime(clock.now())) } }, budget);
  return pending.recheckMs === undefined ? undefined : { requeueAfterMs: Math.max(1, pending.recheckMs - clock.now()) };
}

function unmanagedText({ spec }: PodDisruptionBudget): string {
  const { matchLabels = {}, matchExpressions = [] } = spec.selector ?? {};
  const labels = Object.keys(matchLabels).sort();
  const requirements = matchExpressions.map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  );
  const shown = `&LabelSelector{MatchLabels:map[string]string{${labels.map((key) => `${key}: ${matchLabels[key]},`).join('')}},MatchExpressions:[]LabelSelectorRequirement{${requirements.join('')}},}`;
  return `Pods selected by this PodDisruptionBudget (selector: ${shown}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
}

/** What cannot be calculated allows nothing. */
async function failSafe(context: ControllerContext, budget: PodDisruptionBudget, message: string): Promise<void> {
  const next = { ...budget, status: { ...budget.status, disruptionsAllowed: 0, observedGeneration: budget.metadata.generation } };
  const conditions = withDisruptionAllowed(next, toTime(context.clock.now()), message);
  await write(context, { ...next, status: { ...next.status, conditions } }, budget);
}

async function write({ client }: ControllerContext, next: PodDisruptionBudget, old: PodDisruptionBudget): Promise<void> {
  if (saysTheSame(next.status, old.status)) return;
  try {
    await client.update(poddisruptionbudgets, next, { subresource: 'status' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
