// The objects that a cluster has from its first moment, written in as few commits as there may be.
import type { UserInfo } from '#api/meta/access.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { copyOf } from '#api/meta/object.ts';
import { toTime } from '#lib/clock.ts';
import type { Compare, Write } from '#store/store.ts';
import { maxCompares } from '#store/store.ts';
import { encode, orderForStore } from './cache/entry.ts';
import type { Core } from './registry/core.ts';
import { commit } from './registry/write.ts';

export interface BootstrapObject {
  type: ResourceType;
  object: KubeObject;
  /** What to write in place of what is there; undefined: leave it. Without it an existing object is left alone. */
  mend?(existing: KubeObject): KubeObject | undefined;
}

const maxAttempts = 5;
const apiServerUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

export async function writeBootstrapObjects(core: Core, objects: readonly BootstrapObject[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const changes: { compare: Compare; write: Write }[] = [];
    for (const wanted of objects) {
      const resource = core.resources.find(wanted.type.group, wanted.type.version, wanted.type.plural);
      if (resource === undefined) continue;
      const { name, namespace } = wanted.object.metadata;
      const key = resource.keyOf(namespace, name!);
      const existing = core.world.cache(resource.prefix).get(key);
      const object = existing === undefined ? newObject(core, wanted.object) : wanted.mend?.(existing.object);
      if (object === undefined) continue;
      const type = { kind: resource.type.kind, apiVersion: resource.apiVersion };
      const ordered = orderForStore(object, type);
      if (existing === undefined) {
        resource.rules.setDefaults?.(ordered);
        resource.rules.prepareForCreate?.(ordered, { now: core.clock.now(), user: apiServerUser });
        if (resource.strategy.generationOnCreate) ordered.metadata.generation = 1;
      }
      const value = encode(ordered);
      core.world.remember(value, ordered);
      changes.push({ compare: { key, revision: existing?.revision ?? 0 }, write: { key, value } });
    }
    if (changes.length === 0) return;
    // Asked for together, they share what a durable write costs.
    const results = await Promise.all(
      partsOf(changes).map((part) =>
        commit(
          core,
          part.map(({ compare }) => compare),
          part.map(({ write }) => write),
        ),
      ),
    );
    const revisions = results.map((result) => (result.committed ? result.revision : Infinity));
    if (!revisions.includes(Infinity)) return await core.world.waitFor(Math.max(...revisions));
    // Another server of the same cluster starts in this moment.
    if (attempt === maxAttempts) throw new Error('the objects that a cluster starts with keep changing');
    await core.world.waitForLatest();
  }
}

function partsOf<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / maxCompares) }, (_, i) => all.slice(i * maxCompares, (i + 1) * maxCompares));
}

function newObject(core: Core, wanted: KubeObject): KubeObject {
  const object = copyOf(wanted);
  object.metadata.uid = core.random.uuid();
  object.metadata.creationTimestamp = toTime(core.clock.now());
  return object;
}
