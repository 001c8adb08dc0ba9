// Waits for a node to report Ready, by watching it.
import type { Node } from '#api/generated/core-v1.ts';
import { nodes } from '#api/generated/resources.ts';
import { conditionOf, isConditionTrue } from '#api/meta/conditions.ts';
import type { Client } from '#client/client.ts';
import type { Clock } from '#lib/clock.ts';

const patienceMs = 60_000;

/** Rejects if the node is not Ready within a minute, with the reason that it gives. */
export async function untilReady(client: Client, name: string, clock: Clock): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last: Node | undefined;
  const look = (node: Node) => {
    last = node;
    if (isConditionTrue(node.status?.conditions, 'Ready')) resolve();
  };
  const watch = client.watch(
    nodes,
    { fieldSelector: `metadata.name=${name}`, sendInitialEvents: true, allowWatchBookmarks: true, resourceVersionMatch: 'NotOlderThan' },
    (events) => {
      for (const event of events) if (event.type !== 'BOOKMARK') look(event.object);
    },
  ); // prettier-ignore
  void watch.done.then((error) => reject(error ?? new Error(`the watch of node ${name} ended`)));
  const timer = clock.after(patienceMs, () => {
    const why = conditionOf(last?.status?.conditions, 'Ready')?.message;
    reject(new Error(`node ${name} is not Ready after ${patienceMs / 1000} s${why ? `: ${why}` : ''}`));
  });
  try {
    await promise;
  } finally {
    timer.cancel();
    watch.close();
  }
}
