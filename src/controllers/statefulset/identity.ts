// Who a StatefulSet's pods are: their ordinals, names, labels, host names and claims, the same whenever they are made again.
import type { StatefulSet } from '#api/generated/apps-v1.ts';
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '#api/generated/core-v1.ts';
import { statefulsets } from '#api/generated/resources.ts';
import { revisionHashLabel } from '../history/revisions.ts';
import { podOf } from '../runtime/owned-pods.ts';

const nameLabel = 'statefulset.kubernetes.io/pod-name';
const indexLabel = 'apps.kubernetes.io/pod-index';

export const startOf = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;
export const replicasOf = ({ spec }: StatefulSet): number => spec.replicas ?? 1;
export const revisionOf = ({ metadata }: Pod): string | undefined => metadata.labels?.[revisionHashLabel];
const nameOf = ({ metadata }: StatefulSet, ordinal: number): string => `${metadata.name}-${ordinal}`;

/** Undefined: the pod is not one that this set would make. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = pod.metadata.name!.startsWith(prefix) ? pod.metadata.name!.slice(prefix.length) : '';
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
}

export function podFor(set: StatefulSet, template: PodTemplateSpec, ordinal: number, revision: string): Pod {
  const { metadata, spec } = podOf({ owner: set, resource: statefulsets }, template);
  const { generateName: _, ...rest } = metadata;
  const name = nameOf(set, ordinal);
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...rest, name }, spec };
  const { serviceName } = set.spec;
  const identified = withIdentity(
    set,
    { ...pod, spec: { ...spec, hostname: name, ...(serviceName && { subdomain: serviceName }) } },
    ordinal,
  );
  identified.metadata.labels = { ...identified.metadata.labels, [revisionHashLabel]: revision };
  return identified;
}

/** The pod with the labels and claims of its ordinal. */
export function withIdentity(set: StatefulSet, pod: Pod, ordinal: number): Pod {
  const labels = { ...pod.metadata.labels, [nameLabel]: nameOf(set, ordinal), [indexLabel]: String(ordinal) };
  const claims: Volume[] = claimsFor(set, ordinal).map(({ template, claim }) => ({
    name: template,
    persistentVolumeClaim: { claimName: claim.metadata.name! },
  }));
  const others = (pod.spec.volumes ?? []).filter(({ name }) => !claims.some((volume) => volume.name === name));
  const volumes = [...claims, ...others];
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: { ...pod.spec, ...((volumes.length > 0 || pod.spec.volumes) && { volumes }) },
  };
}

export function hasIdentity(set: StatefulSet, pod: Pod, ordinal: number): boolean {
  const labels = pod.metadata.labels ?? {};
  return labels[nameLabel] === nameOf(set, ordinal) && labels[indexLabel] === String(ordinal);
}

/** The claims of one ordinal, as they would be created. */
export function claimsFor(set: StatefulSet, ordinal: number): { template: string; claim: PersistentVolumeClaim }[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    template: metadata.name!,
    claim: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: `${metadata.name}-${nameOf(set, ordinal)}`,
        namespace: set.metadata.namespace,
        labels: { ...metadata.labels, ...set.spec.selector?.matchLabels },
        ...(metadata.annotations && { annotations: metadata.annotations }),
      },
      spec,
    },
  }));
}
