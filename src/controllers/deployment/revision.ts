// Revisions: which ReplicaSet carries the current template, how it is named, and what annotations say about its history.
import type { Deployment, ReplicaSet } from '#api/generated/apps-v1.ts';
import type { PodTemplateSpec } from '#api/generated/core-v1.ts';
import { saysTheSame } from '../runtime/equality.ts';

export const hashLabel = 'pod-template-hash';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';

/** Annotations of a Deployment that are its own business and do not go to its ReplicaSets. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
]);
const maxHistoryLength = 2000;

/** The ReplicaSet whose template is the Deployment's. The oldest, should there be several: all clients then agree. */
export function findNewReplicaSet(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return byCreation(replicaSets).find((replicaSet) => hasTemplateOf(deployment, replicaSet));
}

export function hasTemplateOf(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  return saysTheSame(withoutHash(deployment.spec.template), withoutHash(replicaSet.spec.template));
}

function withoutHash(template: PodTemplateSpec | undefined): unknown {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels, creationTimestamp: undefined } };
}

/** Oldest first, names deciding ties. */
export function byCreation(replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  return [...replicaSets].sort(
    (a, b) =>
      compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
      compareText(a.metadata.name!, b.metadata.name!),
  );
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function revisionOf(object: { metadata: { annotations?: Record<string, string> } }): number {
  const text = object.metadata.annotations?.[revisionAnnotation];
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : 0;
}

export function nextRevision(oldReplicaSets: readonly ReplicaSet[]): number {
  return Math.max(0, ...oldReplicaSets.map(revisionOf)) + 1;
}

/** The annotations that the new ReplicaSet should carry: the Deployment's own, its revision, and the revisions it had before a rollback. */
export function annotationsFor(
  deployment: Deployment,
  existing: Record<string, string> | undefined,
  revision: number,
): Record<string, string> {
  const annotations = { ...existing };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!notCopied.has(key)) annotations[key] = value;
  const before = annotations[revisionAnnotation];
  const beforeRevision = before !== undefined && /^[0-9]+$/.test(before) ? Number(before) : 0;
  if (beforeRevision >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  // It had a revision and gets a newer one: somebody rolled back to it.
  if (before !== undefined) annotations[historyAnnotation] = appendHistory(annotations[historyAnnotation], before);
  return annotations;
}

function appendHistory(history: string | undefined, revision: string): string {
  const revisions = history === undefined || history === '' ? [] : history.split(',');
  revisions.push(revision);
  while (revisions.length > 1 && revisions.join(',').length > maxHistoryLength) revisions.shift();
  return revisions.join(',');
}
