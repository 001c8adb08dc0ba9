// What of a Job may change: its size and limits; its template's scheduling only while nothing of it has started.
import type { Job, JobSpec } from '#api/generated/batch-v1.ts';
import type { PodTemplateSpec } from '#api/generated/core-v1.ts';
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';
import { isConditionTrue } from '#api/meta/conditions.ts';
import { isEqual, validateImmutableField } from '#api/meta/meta-validation.ts';

const IMMUTABLE = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const;

export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const spec = job.spec ?? ({} as JobSpec);
  const oldSpec = old.spec ?? ({} as JobSpec);
  const template = isStarted(old) ? oldSpec.template : withSchedulingOf(oldSpec.template, spec.template);
  return [
    ...validateCompletions(spec, oldSpec),
    ...validateImmutableField(spec.selector, oldSpec.selector, 'spec.selector'),
    ...validateImmutableField(spec.template, template, 'spec.template'),
    ...IMMUTABLE.flatMap((field) => validateImmutableField(spec[field], oldSpec[field], `spec.${field}`)),
  ];
}

/** An Indexed Job is resized by changing both numbers together. */
function validateCompletions(spec: JobSpec, old: JobSpec): FieldError[] {
  if (old.completionMode !== 'Indexed') return validateImmutableField(spec.completions, old.completions, 'spec.completions');
  if (isEqual(spec.completions, old.completions) || spec.completions === undefined)
    return validateImmutableField(spec.completions, old.completions, 'spec.completions');
  if (spec.completions === spec.parallelism) return [];
  return [
    invalidValue(
      'spec.completions',
      spec.completions,
      `can only be modified in tandem with spec.parallelism; completions: ${spec.completions}, parallelism: ${spec.parallelism ?? 'nil'}`,
    ),
  ];
}

/** Whether pods of it may run: a Job that is suspended and says so has none. */
function isStarted({ spec, status }: Job): boolean {
  if (spec?.suspend !== true) return true;
  return status?.startTime !== undefined && !isConditionTrue(status.conditions, 'Suspended');
}

/** The old template with what queueing controllers may set before a Job starts. */
function withSchedulingOf(old: PodTemplateSpec | undefined, template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  if (!old?.spec || !template?.spec) return old;
  const { nodeSelector, tolerations, schedulingGates, affinity, containers = [], initContainers = [] } = template.spec;
  const nodeAffinity = affinity?.nodeAffinity;
  const merged = { ...old.spec.affinity, nodeAffinity };
  const hasAffinity = affinity !== undefined && (old.spec.affinity !== undefined || nodeAffinity !== undefined);
  const withResources = <T extends { name: string }>(mine: T[] | undefined, theirs: { name: string; resources?: object }[]) =>
    mine?.map((container) => ({ ...container, resources: theirs.find(({ name }) => name === container.name)?.resources }));
  return {
    ...old,
    metadata: { ...old.metadata, labels: template.metadata?.labels, annotations: template.metadata?.annotations },
    spec: {
      ...old.spec,
      containers: withResources(old.spec.containers, containers) ?? [],
      initContainers: withResources(old.spec.initContainers, initContainers),
      nodeSelector,
      tolerations,
      schedulingGates,
      affinity: hasAffinity ? merged : keptAffinity(old),
    },
  };
}

/** Affinity may be cleared when it was about nodes alone. */
function keptAffinity({ spec }: PodTemplateSpec) {
  const { nodeAffinity: _, ...rest } = spec?.affinity ?? {};
  return Object.keys(rest).length > 0 ? rest : undefined;
}
