// Jobs: the server makes the selector and its labels from the Job's uid, so that no two Jobs ever count each other's pods.
import { isConditionTrue } from '#api/meta/conditions.ts';
import type { Job, JobSpec } from '#api/generated/batch-v1.ts';
import { jobs } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, required } from '#api/meta/field-errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { isDns1123Label } from '#api/meta/names.ts';
import { templateContainersCell, templateImagesCell } from '../apps/pod-template-cells.ts';
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts';
import { templateWarnings } from '../core/pod-spec/warnings.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, humanDuration, nameCell, selectorCell } from '../table-cells.ts';
import { validateJobSpec } from './job-spec.ts';
import { validateJobStatus } from './job-status.ts';
import { validateJobUpdate } from './job-update.ts';

const LEGACY_NAME = 'job-name';
const LEGACY_UID = 'controller-uid';
const NAME = 'batch.kubernetes.io/job-name';
const UID = 'batch.kubernetes.io/controller-uid';
const MAX_INT32 = 2_147_483_647;

export const jobRules: ResourceRules<Job> = {
  resource: jobs,
  setDefaults,
  prepareForCreate(job) {
    dropStatus(job);
    if (job.spec && job.spec.manualSelector !== true) generateSelector(job);
  },
  prepareForUpdate: keepStatus,
  validate,
  validateUpdate: validateJobUpdate,
  warnings: ({ spec }) => [
    ...templateWarnings(spec?.template, 'spec.template'),
    ...(spec?.completionMode === 'Indexed' && (spec.completions ?? 0) > 100_000 && (spec.parallelism ?? 0) > 10_000
      ? [
          'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
        ]
      : []),
  ],
  status: { validateUpdate: validateJobStatus },
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  columns: [
    nameCell,
    statusCell,
    completionsCell,
    durationCell,
    ageCell,
    templateContainersCell,
    templateImagesCell,
    ({ spec }) => selectorCell(spec?.selector),
  ],
};

function setDefaults(job: Job): void {
  const { spec, metadata } = job;
  job.status ??= {};
  if (!spec) return;
  const labels = spec.template?.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  setJobSpecDefaults(spec);
}

function setJobSpecDefaults(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : MAX_INT32;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
  for (const { onPodConditions = [] } of spec.podFailurePolicy?.rules ?? [])
    for (const pattern of onPodConditions) pattern.status ||= 'True';
  setPodTemplateDefaults(spec.template);
}

/** The Job's own labels are its template's where it has none: the generated ones among them. */
function generateSelector({ metadata, spec }: Job): void {
  const { name = '', uid = '' } = metadata;
  spec.template ??= { spec: { containers: [] } };
  spec.template.metadata ??= {};
  // What the client has said stands, and is refused later if it is another's.
  const labels = { [LEGACY_NAME]: name, [NAME]: name, [LEGACY_UID]: uid, [UID]: uid, ...spec.template.metadata.labels };
  spec.template.metadata.labels = labels;
  if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  spec.selector ??= {};
  spec.selector.matchLabels = { ...spec.selector.matchLabels };
  spec.selector.matchLabels[UID] ??= uid;
}

function validate(job: Job): FieldError[] {
  const spec = job.spec ?? ({} as JobSpec);
  const errors = [...validateGeneratedSelector(job), ...validateJobSpec(spec, 'spec')];
  const { selector, template, completions = 0 } = spec;
  const wrong = selector ? validateLabelSelector(selector, 'spec.selector') : [required('spec.selector')];
  errors.push(...wrong);
  const labels = template?.metadata?.labels ?? {};
  if (wrong.length === 0 && !selectorOfLabelSelector(selector).matches(labels))
    errors.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  if (spec.completionMode === 'Indexed' && completions > 0) {
    const last = `${job.metadata.name}-${completions - 1}`;
    if (isDns1123Label(last).length > 0)
      errors.push(invalidValue('metadata.name', job.metadata.name, `will not able to create pod with invalid DNS label: ${last}`));
  }
  return errors;
}

function validateGeneratedSelector({ metadata, spec }: Job): FieldError[] {
  if (spec?.manualSelector === true || !spec?.selector) return [];
  const expected: Record<string, string> = {
    [LEGACY_UID]: metadata.uid ?? '',
    [LEGACY_NAME]: metadata.name ?? '',
    [UID]: metadata.uid ?? '',
    [NAME]: metadata.name ?? '',
  };
  const labels = spec.template?.metadata?.labels ?? {};
  const path = 'spec.template.metadata';
  const errors = Object.entries(expected).flatMap(([key, value]) => {
    const actual = labels[key];
    if (actual === undefined) return [required(`${path}.labels[${key}]`, `must be '${value}'`)];
    return actual === value ? [] : [invalidValue(`${path}.labels[${key}]`, labels, `must be '${value}'`)];
  });
  if (validateLabelSelector(spec.selector, '').length === 0 && !selectorOfLabelSelector(spec.selector).matches(expected))
    errors.push(invalidValue('spec.selector', spec.selector, '`selector` not auto-generated'));
  return errors;
}

function statusCell({ metadata, status }: Job): string {
  const has = (type: string) => isConditionTrue(status?.conditions, type);
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running';
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationCell({ status }: Job, { now }: { now: number }): string {
  if (status?.startTime === undefined) return '';
  const end = status.completionTime === undefined ? now : Date.parse(status.completionTime);
  return humanDuration((end - Date.parse(status.startTime)) / 1000);
}
