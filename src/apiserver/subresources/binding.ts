// Binding: the scheduler's decision, written into the pod once and never changed.
import { podCondition } from '#api/core/pod-state.ts';
import type { Binding, Pod } from '#api/generated/core-v1.ts';
import { conflict, invalid, notFound } from '#api/meta/errors.ts';
import { invalidValue, notSupported, required } from '#api/meta/field-errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { toTime } from '#lib/clock.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import { modify } from '../registry/write.ts';

export interface SubresourceCreate {
  namespace: string;
  name: string;
  body: KubeObject;
  dryRun: boolean;
}

export async function bindPod(core: Core, pods: ServedResource, request: SubresourceCreate): Promise<void> {
  const binding = request.body as unknown as Binding;
  checkBinding(binding, request.name);
  const { name, namespace, dryRun } = request;
  await modify(core, { resource: pods, key: pods.keyOf(namespace, name), name, dryRun }, (current) => {
    if (current === undefined) throw notFound(pods.type, name);
    const pod = current.object as unknown as Pod;
    const { uid, resourceVersion } = binding.metadata ?? {};
    if (uid && uid !== pod.metadata.uid) {
      throw conflict(pods.type, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`);
    }
    if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
      const detail = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`;
      throw conflict(pods.type, name, detail);
    }
    const refusal = refusalOf(pod);
    if (refusal !== undefined) throw conflict({ group: '', plural: 'pods/binding' }, name, refusal);
    return { put: bound(pod, binding, toTime(core.clock.now())) as unknown as KubeObject };
  });
}

function checkBinding(binding: Binding, podName: string): void {
  const { target } = binding;
  const kind = { group: '', kind: 'Binding' };
  if (target?.kind && target.kind !== 'Node') {
    throw invalid(kind, podName, [notSupported('target.kind', target.kind, ['Node', '<empty>'])]);
  }
  if (!target?.name) throw invalid(kind, podName, [required('target.name')]);
  if (binding.metadata?.name && binding.metadata.name !== podName) {
    const detail = 'name in URL does not match name in Binding object';
    throw invalid(kind, podName, [invalidValue('metadata.name', binding.metadata.name, detail)]);
  }
}

function refusalOf(pod: Pod): string | undefined {
  const name = pod.metadata.name!;
  if (pod.metadata.deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`;
  if (pod.spec?.nodeName) return `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`;
  if ((pod.spec?.schedulingGates?.length ?? 0) > 0) return `pod ${name} has non-empty .spec.schedulingGates`;
  return undefined;
}

function bound(pod: Pod, binding: Binding, now: string): Pod {
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
  const before = podCondition(pod, 'PodScheduled');
  const scheduled = {
    type: 'PodScheduled',
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    status: 'True',
    lastTransitionTime: before?.status === 'True' ? before.lastTransitionTime : now,
  };
  const annotations = { ...pod.metadata.annotations, ...binding.metadata?.annotations };
  return {
    ...pod,
    metadata: { ...pod.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...pod.spec!, nodeName: binding.target.name! },
    status: { ...pod.status, conditions: [...others, scheduled] },
  } as Pod;
}
