// Which owner a pod's event is about, for the controllers that make pods: what was expected is ticked off, and the owner looks again.
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerOf } from '#api/meta/owner-references.ts';
import type { Informer } from '#client/informer.ts';
import { saysTheSame } from './equality.ts';
import type { Expectations } from './expectations.ts';
import { byNamespace } from './indexes.ts';

export interface PodOwners<T extends KubeObject> {
  owners: Informer<T>;
  pods: Informer<Pod>;
  expectations: Expectations;
  /** Whether the owner would take in an orphan with these labels. */
  selects(owner: T, labels: Record<string, string> | undefined): boolean;
  enqueue(key: string): void;
}

/** Answers how to take the handlers off. The owners need the index by namespace. */
export function watchOwnedPods<T extends KubeObject>(world: PodOwners<T>): () => void {
  const { expectations, enqueue } = world;
  const enqueueMatching = (pod: Pod): void => {
    for (const owner of world.owners.byIndex(byNamespace, pod.metadata.namespace!)) {
      if (world.selects(owner, pod.metadata.labels)) enqueue(keyOf(owner));
    }
  };
  const going = (pod: Pod): void => {
    const key = ownerKey(world.owners, pod);
    if (key === undefined) return;
    expectations.deletionObserved(key, pod.metadata.uid!);
    enqueue(key);
  };
  return world.pods.addHandlers({
    added(pod) {
      if (pod.metadata.deletionTimestamp !== undefined) return going(pod);
      const key = ownerKey(world.owners, pod);
      if (key !== undefined) {
        expectations.creationObserved(key);
        enqueue(key);
      } else if (controllerOf(pod) === undefined) enqueueMatching(pod);
    },
    updated(old, pod) {
      if (pod.metadata.deletionTimestamp !== undefined) return going(pod);
      const [before, after] = [ownerKey(world.owners, old), ownerKey(world.owners, pod)];
      if (before !== undefined && before !== after) enqueue(before);
      if (after !== undefined) enqueue(after);
      else if (controllerOf(pod) === undefined && (before !== undefined || !saysTheSame(old.metadata.labels, pod.metadata.labels))) {
        enqueueMatching(pod);
      }
    },
    deleted: going,
  });
}

/** Owners look again whenever they change; what was expected of one that is gone concerns no other of its name. */
export function watchOwners<T extends KubeObject>({ owners, expectations, enqueue }: Omit<PodOwners<T>, 'selects' | 'pods'>): () => void {
  return owners.addHandlers({
    added: (owner) => enqueue(keyOf(owner)),
    updated(old, current) {
      if (old.metadata.uid !== current.metadata.uid) expectations.forget(keyOf(old));
      enqueue(keyOf(current));
    },
    deleted(owner) {
      expectations.forget(keyOf(owner));
      enqueue(keyOf(owner));
    },
  });
}

/** The key of the owner that controls the pod, if it is one of these. */
function ownerKey<T extends KubeObject>(owners: Informer<T>, pod: Pod): string | undefined {
  const controller = controllerOf(pod);
  if (controller?.kind !== owners.resource.kind) return undefined;
  const key = `${pod.metadata.namespace}/${controller.name}`;
  return owners.get(key)?.metadata.uid === controller.uid ? key : undefined;
}
