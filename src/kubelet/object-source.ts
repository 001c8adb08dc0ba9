// Config maps and secrets for a node's pods: watched while a pod of this node uses them, else read when asked for.
import type { ConfigMap, Secret } from '#api/generated/core-v1.ts';
import { configmaps, secrets } from '#api/generated/resources.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { Client } from '#client/client.ts';
import type { Informer, Surroundings } from '#client/informer.ts';
import { createInformer } from '#client/informer.ts';

export interface ObjectReference {
  kind: 'ConfigMap' | 'Secret';
  namespace: string;
  name: string;
}

export interface ObjectSource {
  /** Undefined if it does not exist. */
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  /** From now on `changed` is called when one of `references` changes; replaces what `owner` held before. */
  hold(owner: string, references: readonly ObjectReference[], changed: () => void): void;
  release(owner: string): void;
  stop(): void;
}

interface Watched {
  informer: Informer<ConfigMap> | Informer<Secret>;
  owners: Map<string, () => void>;
}

export interface ObjectSourceOptions extends Surroundings {
  client: Client;
  /** How long an object that nobody holds may be answered from memory. 0: never. */
  freshMs: number;
  /** At most this many objects are remembered. */
  limit?: number;
}

export function createObjectSource(options: ObjectSourceOptions): ObjectSource {
  const { client, clock, freshMs, limit = 1000 } = options;
  const watched = new Map<string, Watched>();
  const remembered = new Map<string, { object: KubeObject; atMs: number }>();

  const read = async <T extends KubeObject>(
    kind: ObjectReference['kind'],
    resource: ResourceType<T>,
    ref: { namespace: string; name: string },
  ) => {
    const key = `${kind}/${ref.namespace}/${ref.name}`;
    const entry = watched.get(key);
    if (entry?.informer.hasSynced) return entry.informer.get(`${ref.namespace}/${ref.name}`) as unknown as T | undefined;
    const memory = remembered.get(key);
    if (memory !== undefined && clock.monotonicMs() - memory.atMs < freshMs) return memory.object as T;
    try {
      const object = await client.get(resource, ref);
      if (freshMs > 0) {
        if (remembered.size >= limit) remembered.clear();
        remembered.set(key, { object, atMs: clock.monotonicMs() });
      }
      return object;
    } catch (error) {
      // What does not exist is never remembered: a pod that waits for it must find it at once.
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const watch = ({ kind, namespace, name }: ObjectReference): Watched => {
    const selection = { namespace, fieldSelector: `metadata.name=${name}` };
    const informer =
      kind === 'Secret' ? createInformer(client, secrets, selection, options) : createInformer(client, configmaps, selection, options);
    const entry: Watched = { informer, owners: new Map() };
    const tell = (): void => {
      for (const changed of entry.owners.values()) changed();
    };
    informer.addHandlers({ added: tell, updated: tell, deleted: tell });
    informer.start();
    return entry;
  };

  const release = (owner: string, keep: ReadonlySet<string> = new Set()): void => {
    for (const [key, entry] of watched) {
      if (keep.has(key) || !entry.owners.delete(owner) || entry.owners.size > 0) continue;
      entry.informer.stop();
      watched.delete(key);
    }
  };

  return {
    configMap: (namespace, name) => read('ConfigMap', configmaps, { namespace, name }),
    secret: (namespace, name) => read('Secret', secrets, { namespace, name }),
    hold(owner, references, changed) {
      const keys = new Set<string>();
      for (const reference of references) {
        const key = `${reference.kind}/${reference.namespace}/${reference.name}`;
        keys.add(key);
        let entry = watched.get(key);
        if (entry === undefined) watched.set(key, (entry = watch(reference)));
        entry.owners.set(owner, changed);
      }
      release(owner, keys);
    },
    release: (owner) => release(owner),
    stop() {
      for (const entry of watched.values()) entry.informer.stop();
      watched.clear();
    },
  };
}
