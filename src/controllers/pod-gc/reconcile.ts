// Which finished pods are too many: evicted ones first, then the oldest.
import type { Pod } from '#api/generated/core-v1.ts';

export function surplusOf(terminated: readonly Pod[], threshold: number): Pod[] {
  const count = terminated.length - threshold;
  if (count <= 0) return [];
  return [...terminated]
    .sort(
      (a, b) =>
        Number(isEvicted(b)) - Number(isEvicted(a)) || compare(createdOf(a), createdOf(b)) || compare(a.metadata.name!, b.metadata.name!),
    )
    .slice(0, count);
}

function isEvicted(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted';
}

function createdOf(pod: Pod): string {
  return pod.metadata.creationTimestamp ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
