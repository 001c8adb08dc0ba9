// What a namespace that is being deleted says about what keeps it.
import type { NamespaceCondition } from '#api/generated/core-v1.ts';
import { conditionOf, withCondition } from '#api/meta/conditions.ts';
import { toTime } from '#lib/clock.ts';

/** What was found on one pass; counts by `plural.group` and by finalizer. */
export interface Findings {
  failures: string[];
  remaining: Map<string, number>;
  finalizers: Map<string, number>;
}

interface Wording {
  type: string;
  goodReason: string;
  goodMessage: string;
  badReason: string;
  badMessage(findings: Findings): string | undefined;
}

const wordings: readonly Wording[] = [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    goodReason: 'ResourcesDiscovered',
    goodMessage: 'All resources successfully discovered',
    badReason: 'DiscoveryFailed',
    badMessage: () => undefined,
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    goodReason: 'ParsedGroupVersions',
    goodMessage: 'All legacy kube types successfully parsed',
    badReason: 'GroupVersionParsingFailed',
    badMessage: () => undefined,
  },
  {
    type: 'NamespaceDeletionContentFailure',
    goodReason: 'ContentDeleted',
    goodMessage: 'All content successfully deleted, may be waiting on finalization',
    badReason: 'ContentDeletionFailed',
    badMessage: ({ failures }) =>
      failures.length === 0
        ? undefined
        : `Failed to delete all resource types, ${failures.length} remaining: ${failures.sort().join(', ')}`,
  },
  {
    type: 'NamespaceContentRemaining',
    goodReason: 'ContentRemoved',
    goodMessage: 'All content successfully removed',
    badReason: 'SomeResourcesRemain',
    badMessage: ({ remaining }) =>
      counted(remaining, 'Some resources are remaining', (resource, count) => `${resource} has ${count} resource instances`),
  },
  {
    type: 'NamespaceFinalizersRemaining',
    goodReason: 'ContentHasNoFinalizers',
    goodMessage: 'All content-preserving finalizers finished',
    badReason: 'SomeFinalizersRemain',
    badMessage: ({ finalizers }) =>
      counted(
        finalizers,
        'Some content in the namespace has finalizers remaining',
        (name, count) => `${name} in ${count} resource instances`,
      ),
  },
];

/** The conditions after a pass; the same list where nothing is new. */
export function conditionsAfter(old: NamespaceCondition[], findings: Findings, nowMs: number): NamespaceCondition[] {
  let conditions = old;
  for (const { type, goodReason, goodMessage, badReason, badMessage } of wordings) {
    const bad = badMessage(findings);
    const [status, reason, message] = bad === undefined ? ['False', goodReason, goodMessage] : ['True', badReason, bad];
    const before = conditionOf(conditions, type);
    if (before?.status === status && before.reason === reason && before.message === message) continue;
    conditions = withCondition(conditions, { type, status, reason, message, lastTransitionTime: toTime(nowMs) });
  }
  return conditions;
}

function counted(counts: Map<string, number>, opening: string, say: (name: string, count: number) => string): string | undefined {
  if (counts.size === 0) return undefined;
  const parts = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => say(name, count));
  return `${opening}: ${parts.join(', ')}`;
}
