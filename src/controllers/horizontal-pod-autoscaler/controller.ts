// The autoscaler controller: every fifteen seconds each autoscaler compares what its pods use with what they should use.
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus } from '#api/generated/autoscaling-v2.ts';
import type { Scale } from '#api/generated/autoscaling-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { horizontalpodautoscalers, pods } from '#api/generated/resources.ts';
import { withCondition } from '#api/meta/conditions.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { parseLabelSelector } from '#api/meta/label-selector.ts';
import type { ResourceType } from '#api/meta/object.ts';
import { keyOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import { toTime } from '#lib/clock.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { messageOf } from '../runtime/failures.ts';
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { decide } from './decide.ts';
import type { History } from './rates.ts';
import { emptyHistory } from './rates.ts';

const syncPeriodMs = 15_000;

interface World {
  context: ControllerContext;
  autoscalers: Informer<HorizontalPodAutoscaler>;
  pods: Informer<Pod>;
  histories: Map<string, History>;
}

export const horizontalPodAutoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler',
  serviceAccount: 'horizontal-pod-autoscaler',
  start(context) {
    const world: World = {
      context,
      autoscalers: context.informers.informer(horizontalpodautoscalers),
      pods: context.informers.informer(pods),
      histories: new Map(),
    };
    world.pods.addIndex(byNamespace, namespaceIndex);
    const reconciler = startReconciler(context, {
      name: 'horizontal-pod-autoscaler',
      waitFor: [world.autoscalers, world.pods],
      reconcile: (key) => reconcile(world, key),
    });
    const handlers = [
      world.autoscalers.addHandlers({
        added: (autoscaler) => reconciler.enqueue(keyOf(autoscaler)),
        updated(old, autoscaler) {
          if (!saysTheSame(old.spec, autoscaler.spec)) reconciler.enqueue(keyOf(autoscaler));
        },
        deleted: (autoscaler) => void world.histories.delete(keyOf(autoscaler)),
      }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

async function reconcile(world: World, key: string): Promise<Outcome | undefined> {
  const autoscaler = world.autoscalers.get(key);
  if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined) return undefined;
  const status = await autoscale(world, autoscaler, key);
  if (!saysTheSame(status, autoscaler.status)) await writeStatus(world.context, { ...autoscaler, status });
  return { requeueAfterMs: syncPeriodMs };
}

async function autoscale(world: World, autoscaler: HorizontalPodAutoscaler, key: string): Promise<HorizontalPodAutoscalerStatus> {
  const { client, clock, events } = world.context;
  const { name, namespace, generation } = autoscaler.metadata;
  let status: HorizontalPodAutoscalerStatus = {
    desiredReplicas: 0,
    ...autoscaler.status,
    ...(generation !== undefined && { observedGeneration: generation }),
  };
  const set = (type: string, value: 'True' | 'False', reason: string, message: string): void => {
    const condition = { type, status: value, reason, message, lastTransitionTime: toTime(clock.now()) };
    status = { ...status, conditions: withCondition(status.conditions, condition) };
  };
  let target: ResourceType<Scale>;
  let scale: Scale;
  try {
    target = targetOf(world.context, autoscaler);
    scale = await client.get(target, { namespace, name: autoscaler.spec.scaleTargetRef.name }, { subresource: 'scale' });
  } catch (error) {
    events.event(autoscaler, 'Warning', 'FailedGetScale', messageOf(error));
    set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`);
    return status;
  }
  set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
  const history = world.histories.get(key) ?? emptyHistory();
  world.histories.set(key, history);
  const current = scale.spec?.replicas ?? 0;
  const decision = await decide(autoscaler, history, {
    client,
    namespace: namespace!,
    selector: scale.status?.selector ?? '',
    pods: podsOf(world, namespace!, scale.status?.selector ?? ''),
    currentReplicas: current,
    statusReplicas: scale.status?.replicas ?? 0,
    nowMs: clock.now(),
  });
  for (const { type, status: value, reason, message } of decision.conditions) set(type, value, reason, message);
  for (const { reason, message } of decision.warnings) events.event(autoscaler, 'Warning', reason, message);
  status = { ...status, currentReplicas: scale.status?.replicas ?? 0, desiredReplicas: decision.replicas };
  if (decision.metrics !== undefined) status.currentMetrics = decision.metrics;
  if (decision.replicas === current || decision.failed)
    return { ...status, desiredReplicas: decision.failed ? current : decision.replicas };
  try {
    await client.update(target, { ...scale, spec: { ...scale.spec, replicas: decision.replicas } }, { subresource: 'scale' });
  } catch (error) {
    const text = `New size: ${decision.replicas}; reason: ${decision.reason}; error: ${messageOf(error)}`;
    events.event(autoscaler, 'Warning', 'FailedRescale', text);
    set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${messageOf(error)}`);
    return { ...status, desiredReplicas: current };
  }
  const message = `the HPA controller was able to update the target scale to ${decision.replicas}`;
  set('AbleToScale', 'True', 'SucceededRescale', message);
  events.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${decision.replicas}; reason: ${decision.reason}`);
  const change = { atMs: clock.now(), replicas: Math.abs(decision.replicas - current) };
  (decision.replicas > current ? history.added : history.removed).push(change);
  world.context.log.info({ autoscaler: `${namespace}/${name}`, from: current, to: decision.replicas }, 'rescaled');
  return { ...status, lastScaleTime: toTime(clock.now()) };
}

function targetOf({ resources }: ControllerContext, { spec }: HorizontalPodAutoscaler): ResourceType<Scale> {
  const { kind, apiVersion = '' } = spec.scaleTargetRef;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const found = resources.find((resource) => resource.kind === kind && resource.group === group);
  if (found === undefined) throw new Error(`no matches for kind "${kind}" in group "${group}"`);
  return found as ResourceType<Scale>;
}

function podsOf(world: World, namespace: string, selector: string): Pod[] {
  if (selector === '') return [];
  const { matches } = parseLabelSelector(selector);
  return world.pods.byIndex(byNamespace, namespace).filter((pod) => matches(pod.metadata.labels));
}

async function writeStatus({ client }: ControllerContext, autoscaler: HorizontalPodAutoscaler): Promise<void> {
  try {
    await client.update(horizontalpodautoscalers, autoscaler, { subresource: 'status' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
