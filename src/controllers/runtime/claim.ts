// Claiming: a controller takes in matching objects that nobody controls and lets go of its own that match no longer.
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { isNotFound, isReason } from '#api/meta/errors.ts';
import type { Client } from '#client/client.ts';
import { controllerOf, controllerReference } from '#api/meta/owner-references.ts';

export interface Claim<T extends KubeObject> {
  client: Client;
  owner: KubeObject;
  ownerResource: ResourceType;
  resource: ResourceType<T>;
  matches(object: T): boolean;
}

/** Answers which of the candidates the owner controls now. */
export async function claimAll<T extends KubeObject>(claim: Claim<T>, candidates: T[]): Promise<T[]> {
  const claimed: T[] = [];
  let mayAdopt: Promise<void> | undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    if (controller !== undefined) {
      if (controller.uid !== claim.owner.metadata.uid) continue;
      if (claim.matches(object)) claimed.push(object);
      else if (claim.owner.metadata.deletionTimestamp === undefined) await release(claim, object);
      continue;
    }
    const isGoing = claim.owner.metadata.deletionTimestamp !== undefined || object.metadata.deletionTimestamp !== undefined;
    if (isGoing || !claim.matches(object)) continue;
    mayAdopt ??= checkOwner(claim);
    await mayAdopt;
    if (await adopt(claim, object)) claimed.push(object);
  }
  return claimed;
}

/** Asks the server, not the cache: an owner that is being deleted must not take in what its deletion would then orphan or delete. */
async function checkOwner({ client, ownerResource, owner }: Pick<Claim<KubeObject>, 'client' | 'ownerResource' | 'owner'>): Promise<void> {
  const { namespace, name, uid } = owner.metadata;
  const fresh = await client.get(ownerResource, { namespace, name: name! });
  if (fresh.metadata.uid !== uid)
    throw new Error(`original ${ownerResource.kind} ${namespace}/${name} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`);
  if (fresh.metadata.deletionTimestamp !== undefined) {
    throw new Error(`${namespace}/${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
  }
}

async function adopt<T extends KubeObject>({ client, resource, ownerResource, owner }: Claim<T>, object: T): Promise<boolean> {
  const ownerReferences = [controllerReference(ownerResource, owner)];
  try {
    await client.patch(resource, refTo(object), { type: 'strategic', body: { metadata: { ownerReferences, uid: object.metadata.uid } } });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function release<T extends KubeObject>({ client, resource, owner }: Claim<T>, object: T): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }];
  try {
    await client.patch(resource, refTo(object), { type: 'strategic', body: { metadata: { ownerReferences, uid: object.metadata.uid } } });
  } catch (error) {
    // Gone, or another object of the same name by now: nothing is left to let go of.
    if (!isNotFound(error) && !isReason(error, 'Invalid')) throw error;
  }
}

function refTo(object: KubeObject): { namespace: string | undefined; name: string } {
  return { namespace: object.metadata.namespace, name: object.metadata.name! };
}
