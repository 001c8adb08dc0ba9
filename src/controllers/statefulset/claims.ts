// The claims of a StatefulSet's pods: made before the pod, kept or owned as the retention policy says.
import type { StatefulSet } from '#api/generated/apps-v1.ts';
import type { PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { OwnerReference } from '#api/generated/meta-v1.ts';
import { persistentvolumeclaims, pods, statefulsets } from '#api/generated/resources.ts';
import { isAlreadyExists } from '#api/meta/errors.ts';
import { controllerReference } from '#api/meta/owner-references.ts';
import type { Informer } from '#client/informer.ts';
import type { ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { messageOf } from '../runtime/failures.ts';
import { claimsFor, ordinalOf, replicasOf, startOf } from './identity.ts';

/** Creates what is missing. Throws where a claim cannot be made, or one of the name is being deleted. */
export async function ensureClaims(
  { client, events }: ControllerContext,
  informer: Informer<PersistentVolumeClaim>,
  set: StatefulSet,
  ordinal: number,
): Promise<void> {
  for (const { claim } of claimsFor(set, ordinal)) {
    const { name, namespace } = claim.metadata;
    const existing = informer.get(`${namespace}/${name}`);
    if (existing?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
    if (existing !== undefined) continue;
    const pod = `${set.metadata.name}-${ordinal}`;
    try {
      await client.create(persistentvolumeclaims, claim);
      const message = `create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`;
      events.event(set, 'Normal', 'SuccessfulCreate', message);
    } catch (error) {
      if (isAlreadyExists(error)) continue;
      const message = `create Claim ${name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error: ${messageOf(error)}`;
      events.event(set, 'Warning', 'FailedCreate', message);
      throw error;
    }
  }
}

/** Claims go with the pod that is scaled away or with the set that is deleted, by belonging to them. */
export async function retainClaims(
  { client }: ControllerContext,
  informer: Informer<PersistentVolumeClaim>,
  set: StatefulSet,
  pod: Pod,
): Promise<void> {
  const ordinal = ordinalOf(set, pod)!;
  for (const { claim: wanted } of claimsFor(set, ordinal)) {
    const claim = informer.get(`${wanted.metadata.namespace}/${wanted.metadata.name}`);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) continue;
    const ownerReferences = ownersOf(set, pod, ordinal, claim.metadata.ownerReferences ?? []);
    if (ownerReferences === undefined || saysTheSame(ownerReferences, claim.metadata.ownerReferences)) continue;
    await client.update(persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, ownerReferences } });
  }
}

/** Undefined: another controller owns it, and nothing is changed. */
function ownersOf(set: StatefulSet, pod: Pod, ordinal: number, before: readonly OwnerReference[]): OwnerReference[] | undefined {
  const isOurs = ({ kind, name }: OwnerReference) =>
    (kind === 'StatefulSet' && name === set.metadata.name) || (kind === 'Pod' && name === pod.metadata.name);
  const others = before.filter((reference) => !isOurs(reference));
  if (others.some(({ controller }) => controller === true)) return undefined;
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const isScaledAway = ordinal < startOf(set) || ordinal >= startOf(set) + replicasOf(set);
  if (whenScaled === 'Delete' && isScaledAway) return [...others, controllerReference(pods, pod)];
  if (whenDeleted === 'Delete') return [...others, controllerReference(statefulsets, set)];
  return others;
}
