// The taints that a node should carry because of its conditions; all others are somebody else's and stay.
import type { Node, NodeCondition, Taint } from '#api/generated/core-v1.ts';
import { conditionOf } from '#api/meta/conditions.ts';

const notReadyKey = 'node.kubernetes.io/not-ready';
const unreachableKey = 'node.kubernetes.io/unreachable';

const byCondition: readonly { type: string; status: string; key: string }[] = [
  { type: 'Ready', status: 'False', key: notReadyKey },
  { type: 'Ready', status: 'Unknown', key: unreachableKey },
  { type: 'MemoryPressure', status: 'True', key: 'node.kubernetes.io/memory-pressure' },
  { type: 'DiskPressure', status: 'True', key: 'node.kubernetes.io/disk-pressure' },
  { type: 'NetworkUnavailable', status: 'True', key: 'node.kubernetes.io/network-unavailable' },
  { type: 'PIDPressure', status: 'True', key: 'node.kubernetes.io/pid-pressure' },
];
const unschedulableKey = 'node.kubernetes.io/unschedulable';
const noScheduleKeys = new Set([unschedulableKey, ...byCondition.map(({ key }) => key)]);

/** The node's taints with the NoSchedule ones that follow from its conditions; undefined where nothing changes. */
export function withNoScheduleTaints(node: Node, now: string): Taint[] | undefined {
  const wanted = byCondition
    .filter(({ type, status }) => conditionOf<NodeCondition>(node.status?.conditions, type)?.status === status)
    .map(({ key }) => key);
  if (node.spec?.unschedulable) wanted.push(unschedulableKey);
  // A node that has not reported yet keeps the taint that it was admitted with.
  const isSilent = conditionOf<NodeCondition>(node.status?.conditions, 'Ready') === undefined;
  if (isSilent && (node.spec?.taints ?? []).some(({ key, effect }) => key === notReadyKey && effect === 'NoSchedule'))
    wanted.push(notReadyKey);
  return swap(node, 'NoSchedule', noScheduleKeys, wanted, now);
}

/** The node's taints with the one NoExecute taint, or none, that its readiness asks for; undefined where nothing changes. */
export function withNoExecuteTaint(node: Node, key: string | undefined, now: string): Taint[] | undefined {
  return swap(node, 'NoExecute', new Set([notReadyKey, unreachableKey]), key === undefined ? [] : [key], now);
}

/** Which NoExecute taint a node's readiness asks for. */
export function noExecuteKey(node: Node): string | undefined {
  const ready = conditionOf<NodeCondition>(node.status?.conditions, 'Ready');
  if (ready?.status === 'True') return undefined;
  return ready?.status === 'False' ? notReadyKey : unreachableKey;
}

function swap(node: Node, effect: string, managed: Set<string>, wanted: string[], now: string): Taint[] | undefined {
  const taints = node.spec?.taints ?? [];
  const isManaged = (taint: Taint): boolean => taint.effect === effect && managed.has(taint.key);
  const kept = taints.filter((taint) => !isManaged(taint) || wanted.includes(taint.key));
  const missing = wanted.filter((key) => !taints.some((taint) => isManaged(taint) && taint.key === key));
  if (missing.length === 0 && kept.length === taints.length) return undefined;
  return [...kept, ...missing.map((key) => ({ key, effect, timeAdded: now }))];
}
