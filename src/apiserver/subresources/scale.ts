// Scale: the one number of a workload that autoscalers and `kubectl scale` change, as autoscaling/v1 Scale.
import type { Scale } from '#api/generated/autoscaling-v1.ts';
import type { Deployment, ReplicaSet, StatefulSet } from '#api/generated/apps-v1.ts';
import type { ReplicationController } from '#api/generated/core-v1.ts';
import type { LabelSelector } from '#api/generated/meta-v1.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { invalid } from '#api/meta/errors.ts';
import { invalidValue } from '#api/meta/field-errors.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { copyOf } from '#api/meta/object.ts';

type Scalable = Deployment | ReplicaSet | StatefulSet | ReplicationController;

export function scaleOf(workload: KubeObject): Scale {
  const { metadata, spec, status } = workload as unknown as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { ...(spec?.replicas && { replicas: spec.replicas }) },
    status: { replicas: status?.replicas ?? 0, selector: selectorText(workload.kind, spec) },
  } as Scale;
}

/** A ReplicationController's selector is a plain map. */
function selectorText(kind: string | undefined, spec: Scalable['spec'] | undefined): string {
  const selector = spec?.selector;
  const matchLabels = selector as Record<string, string> | undefined;
  return selectorOfLabelSelector(kind === 'ReplicationController' ? { matchLabels } : (selector as LabelSelector)).toString();
}

/** The state of the workload that a Scale asks for: at the Scale's resourceVersion, if it has one. */
export function withScale(workload: KubeObject, body: KubeObject): KubeObject {
  const scale = body as unknown as Scale;
  const replicas = scale.spec?.replicas ?? 0;
  const { name, uid, resourceVersion } = scale.metadata ?? {};
  if (replicas < 0) {
    const error = invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0');
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name ?? '', [error]);
  }
  const scaled = copyOf(workload) as unknown as Scalable;
  scaled.spec!.replicas = replicas;
  if (name) scaled.metadata.name = name;
  if (uid) scaled.metadata.uid = uid;
  if (resourceVersion) scaled.metadata.resourceVersion = resourceVersion;
  else delete scaled.metadata.resourceVersion;
  return scaled as unknown as KubeObject;
}
