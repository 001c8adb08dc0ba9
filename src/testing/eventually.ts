// Waiting for a state of the cluster, not for time: follows a resource until what is asserted of it holds.
import { keyOf } from '#api/meta/object.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import type { Client, Selection } from '#client/client.ts';

/** Resolves when `check` does not throw for the objects selected; after `timeoutMs` rejects with what it last threw. */
export async function eventually<T extends KubeObject>(
  client: Client,
  resource: ResourceType<T>,
  selection: Selection,
  check: (objects: T[]) => void,
  timeoutMs = 20_000,
): Promise<T[]> {
  const objects = new Map<string, T>();
  const outcome = Promise.withResolvers<T[]>();
  let last: unknown;
  const tryNow = (): void => {
    try {
      const all = [...objects.values()];
      check(all);
      outcome.resolve(all);
    } catch (error) {
      last = error;
    }
  };
  const listed = await client.list(resource, selection);
  for (const object of listed.items) objects.set(keyOf(object), object);
  tryNow();
  const watch = client.watch(resource, { ...selection, resourceVersion: listed.metadata.resourceVersion }, (events) => {
    for (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'DELETED') objects.delete(keyOf(event.object));
      else objects.set(keyOf(event.object), event.object);
    }
    tryNow();
  });
  // A limit for tests that would hang, on the machine's own time even where the cluster runs on another.
  const limit = AbortSignal.timeout(timeoutMs);
  limit.addEventListener('abort', () => outcome.reject(last instanceof Error ? last : new Error(`not within ${timeoutMs} ms`)));
  try {
    return await outcome.promise;
  } finally {
    watch.close();
  }
}
