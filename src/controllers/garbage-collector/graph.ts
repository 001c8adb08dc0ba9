// The graph of ownership over all watched objects: who depends on whom. It holds no object, only identities; the objects stay in the informers.
import type { OwnerReference } from '#api/generated/meta-v1.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { apiVersionOf, keyOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';

/** An object by where it is watched and what it is; the uid tells it from an earlier one of its name. */
export interface Identity {
  readonly informer: Informer<KubeObject>;
  readonly key: string;
  readonly uid: string;
}

export interface OwnerGraph {
  add(informer: Informer<KubeObject>, object: KubeObject): void;
  /** Replaces the owners that `old` named by those of `current`. */
  update(informer: Informer<KubeObject>, old: KubeObject, current: KubeObject): void;
  remove(informer: Informer<KubeObject>, object: KubeObject): void;
  /** The living dependents of an owner, whether or not the owner exists. */
  dependentsOf(ownerUid: string): Identity[];
  /** The watched resource that an owner reference points into. */
  informerOf(reference: OwnerReference): Informer<KubeObject> | undefined;
  /** The object of an identity, if it is still that one. */
  resolve(identity: Identity): KubeObject | undefined;
}

export function createOwnerGraph(informers: readonly Informer<KubeObject>[]): OwnerGraph {
  const dependents = new Map<string, Map<string, Identity>>();
  const byKind = new Map(informers.map((informer) => [kindKey(apiVersionOf(informer.resource), informer.resource.kind), informer]));
  // Versions of one group share their storage: an owner may be named by another version than the one that is watched.
  const byGroupKind = new Map(informers.map((informer) => [kindKey(informer.resource.group, informer.resource.kind), informer]));

  const link = (informer: Informer<KubeObject>, object: KubeObject): void => {
    for (const { uid: owner } of object.metadata.ownerReferences ?? []) {
      const set = dependents.get(owner) ?? new Map<string, Identity>();
      set.set(object.metadata.uid!, { informer, key: keyOf(object), uid: object.metadata.uid! });
      dependents.set(owner, set);
    }
  };
  const unlink = (object: KubeObject): void => {
    for (const { uid: owner } of object.metadata.ownerReferences ?? []) {
      const set = dependents.get(owner);
      set?.delete(object.metadata.uid!);
      if (set?.size === 0) dependents.delete(owner);
    }
  };

  return {
    add: link,
    update(informer, old, current) {
      if (old.metadata.uid === current.metadata.uid && old.metadata.ownerReferences === current.metadata.ownerReferences) return;
      unlink(old);
      link(informer, current);
    },
    remove: (_informer, object) => unlink(object),
    dependentsOf: (ownerUid) => [...(dependents.get(ownerUid)?.values() ?? [])],
    informerOf: ({ apiVersion, kind }) => byKind.get(kindKey(apiVersion, kind)) ?? byGroupKind.get(kindKey(groupOf(apiVersion), kind)),
    resolve({ informer, key, uid }) {
      const object = informer.get(key);
      return object?.metadata.uid === uid ? object : undefined;
    },
  };
}

/** The key under which an informer holds the owner that a dependent names; undefined where the owner cannot be in scope. */
export function ownerKey(resource: ResourceType, reference: OwnerReference, dependent: KubeObject): string | undefined {
  if (!resource.namespaced) return reference.name;
  return dependent.metadata.namespace ? `${dependent.metadata.namespace}/${reference.name}` : undefined;
}

function kindKey(group: string, kind: string): string {
  return `${group}#${kind}`;
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
