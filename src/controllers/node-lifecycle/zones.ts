// How fast lost nodes are emptied: one node in ten seconds for each zone, slower or not at all where a whole zone seems lost.
import type { Node, NodeCondition } from '#api/generated/core-v1.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import type { Clock } from '#lib/clock.ts';
import type { ZoneState } from './health.ts';
import { zoneOf, zoneState } from './health.ts';

export interface EvictionPace {
  /** Takes in how the zones do. */
  update(nodes: readonly Node[]): void;
  /** Every zone is lost at once: it is rather us who are cut off, so nothing is evicted. */
  isSuspended(): boolean;
  /** Whether this node may be emptied now; a yes uses up the zone's turn. */
  mayEvict(node: Node): boolean;
}

const intervalMs = 10_000;
const slowIntervalMs = 100_000;
const largeZone = 50;

interface Zone {
  state: ZoneState;
  size: number;
  lastMs: number | undefined;
}

export function createEvictionPace(clock: Clock): EvictionPace {
  const zones = new Map<string, Zone>();
  return {
    update(nodes) {
      const counts = new Map<string, { ready: number; notReady: number }>();
      for (const node of nodes) {
        const count = counts.get(zoneOf(node)) ?? { ready: 0, notReady: 0 };
        if (conditionOf<NodeCondition>(node.status?.conditions, 'Ready')?.status === 'True') count.ready++;
        else count.notReady++;
        counts.set(zoneOf(node), count);
      }
      for (const name of zones.keys()) if (!counts.has(name)) zones.delete(name);
      for (const [name, { ready, notReady }] of counts) {
        zones.set(name, { state: zoneState(ready, notReady), size: ready + notReady, lastMs: zones.get(name)?.lastMs });
      }
    },
    isSuspended: () => zones.size > 0 && [...zones.values()].every(({ state }) => state === 'fullDisruption'),
    mayEvict(node) {
      const zone = zones.get(zoneOf(node));
      if (zone === undefined) return false;
      if (zone.state === 'partialDisruption' && zone.size <= largeZone) return false;
      const wait = zone.state === 'partialDisruption' ? slowIntervalMs : intervalMs;
      const nowMs = clock.monotonicMs();
      if (zone.lastMs !== undefined && nowMs - zone.lastMs < wait) return false;
      zone.lastMs = nowMs;
      return true;
    },
  };
}
