// When each node was last heard of, by changes seen here and on the monotonic clock: a clock step makes no node ill.
import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node, NodeCondition } from '#api/generated/core-v1.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import { toTime } from '#lib/clock.ts';

export interface NodeHealth {
  heartbeat: string | undefined;
  renewTime: string | undefined;
  /** Monotonic. */
  heardMs: number;
}

/** Takes note of a sign of life: a changed heartbeat in the status or a renewed lease. */
export function observe(known: NodeHealth | undefined, node: Node, lease: Lease | undefined, monotonicMs: number): NodeHealth {
  const heartbeat = conditionOf<NodeCondition>(node.status?.conditions, 'Ready')?.lastHeartbeatTime;
  const renewTime = lease?.spec.renewTime;
  const isAlive =
    known === undefined ||
    (heartbeat !== undefined && heartbeat !== known.heartbeat) ||
    (renewTime !== undefined && (known.renewTime === undefined || renewTime > known.renewTime));
  return { heartbeat, renewTime, heardMs: isAlive ? monotonicMs : known.heardMs };
}

const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a node that is not heard of any more; undefined where all are unknown already. */
export function unknownConditions(node: Node, nowMs: number): NodeCondition[] | undefined {
  const conditions = [...(node.status?.conditions ?? [])];
  const now = toTime(nowMs);
  let isChanged = false;
  for (const type of watched) {
    const position = conditions.findIndex((condition) => condition.type === type);
    const current = conditions[position];
    if (current?.status === 'Unknown') continue;
    isChanged = true;
    if (current === undefined) {
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp,
        lastTransitionTime: now,
      });
    } else {
      conditions[position] = {
        ...current,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: now,
      };
    }
  }
  return isChanged ? conditions : undefined;
}

export type ZoneState = 'normal' | 'partialDisruption' | 'fullDisruption';

/** A zone where most nodes went at once has more likely lost its network than its nodes. */
export function zoneState(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'fullDisruption';
  if (notReady > 2 && notReady / (notReady + ready) >= 0.55) return 'partialDisruption';
  return 'normal';
}

export function zoneOf(node: Node): string {
  const { labels = {} } = node.metadata;
  return `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`;
}
