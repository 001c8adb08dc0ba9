// A Job's pods: what one looks like for an index, and what became of those there are.
import type { Job } from '#api/generated/batch-v1.ts';
import type { Container, Pod } from '#api/generated/core-v1.ts';
import { jobs } from '#api/generated/resources.ts';
import { podOf } from '../runtime/owned-pods.ts';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
const indexKey = 'batch.kubernetes.io/job-completion-index';
const failuresKey = 'batch.kubernetes.io/job-index-failure-count';
const ignoredKey = 'batch.kubernetes.io/job-index-ignored-failure-count';

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed';
export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) ?? false;
export const hasSucceeded = ({ status }: Pod): boolean => status?.phase === 'Succeeded';

/** A pod that is being deleted counts as failed at once, unless only those that truly failed are replaced. */
export function hasFailed({ spec }: Job, { metadata, status }: Pod): boolean {
  if (status?.phase === 'Failed') return true;
  return spec.podReplacementPolicy !== 'Failed' && metadata.deletionTimestamp !== undefined && status?.phase !== 'Succeeded';
}

/** Undefined: it has none, or one that is no longer asked for. */
export function indexOf({ spec }: Job, { metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexKey];
  const index = text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  return index !== undefined && index < (spec.completions ?? 0) ? index : undefined;
}

export interface IndexFailures {
  counted: number;
  ignored: number;
}

/** The failures of its index before this pod. */
export function failuresBefore({ metadata }: Pod): IndexFailures {
  return { counted: Number(metadata.annotations?.[failuresKey] ?? 0), ignored: Number(metadata.annotations?.[ignoredKey] ?? 0) };
}

export function newPod(job: Job): Pod {
  const pod = podOf({ owner: job, resource: jobs }, job.spec.template);
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
  return pod;
}

export function newIndexedPod(job: Job, index: number, failures: IndexFailures): Pod {
  const pod = newPod(job);
  const { name } = job.metadata;
  const { spec, metadata } = pod;
  const annotations = {
    ...metadata.annotations,
    [indexKey]: String(index),
    ...(job.spec.backoffLimitPerIndex !== undefined && { [failuresKey]: String(failures.counted) }),
    ...(failures.ignored > 0 && { [ignoredKey]: String(failures.ignored) }),
  };
  return {
    ...pod,
    metadata: {
      ...metadata,
      generateName: `${name!.slice(0, 57 - String(index).length)}-${index}-`,
      annotations,
      labels: { ...metadata.labels, [indexKey]: String(index) },
    },
    spec: {
      ...spec,
      hostname: `${name}-${index}`,
      containers: spec.containers.map(withIndex),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  if (container.env?.some(({ name }) => name === 'JOB_COMPLETION_INDEX')) return container;
  const fieldRef = { fieldPath: `metadata.labels['${indexKey}']` };
  return { ...container, env: [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef } }] };
}

/** When the last of its containers ended, or it was deleted; in milliseconds. */
export function finishedAtMs({ metadata, status }: Pod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''));
  const known = ends.filter((end) => !Number.isNaN(end));
  if (known.length > 0) return Math.max(...known);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  return Date.parse(ready ?? metadata.deletionTimestamp ?? metadata.creationTimestamp ?? '');
}
