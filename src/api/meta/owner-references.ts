// Who owns an object, and who controls it.
import type { ObjectMeta, OwnerReference } from '#api/generated/meta-v1.ts';
import type { KubeObject, ResourceType } from './object.ts';
import { apiVersionOf } from './object.ts';

type Owned = { metadata: Pick<ObjectMeta, 'ownerReferences'> };

/** The one reference that manages the object, if there is one. */
export function controllerOf(object: Owned): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: Owned, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** The reference with which a controller marks what it makes; deletion of the owner waits for it. */
export function controllerReference(resource: Pick<ResourceType, 'group' | 'version' | 'kind'>, owner: KubeObject): OwnerReference {
  return { ...ownerReference(resource, owner), controller: true, blockOwnerDeletion: true };
}

function ownerReference(resource: Pick<ResourceType, 'group' | 'version' | 'kind'>, owner: KubeObject): OwnerReference {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, name: owner.metadata.name!, uid: owner.metadata.uid! };
}
