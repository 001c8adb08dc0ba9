// What a Job's status may say: a finished Job is finished for good, and its numbers agree with one another.
import { countIndexes, parseIndexes } from '#api/batch/completion-indexes.ts';
import type { Job, JobStatus } from '#api/generated/batch-v1.ts';
import { isConditionTrue } from '#api/meta/conditions.ts';
import { type FieldError, duplicate, index, invalidValue, required } from '#api/meta/field-errors.ts';
import { isEqual } from '#api/meta/meta-validation.ts';
import { nonNegative } from '../numbers.ts';
import { invalidAltogether } from './job-policies.ts';

const UNCOUNTED = 'status.uncountedTerminatedPods';

export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const status = job.status ?? {};
  return [
    ...validateNumbers(status),
    ...validateConditions(job, status),
    ...validateTimes(status, isFinished(status)),
    ...validateIndexes(job, status),
    ...validateTransition(status, old.status ?? {}, old),
  ];
}

const has = (status: JobStatus, type: string): boolean => isConditionTrue(status.conditions, type);
const isFinished = (status: JobStatus): boolean => has(status, 'Complete') || has(status, 'Failed');

function validateNumbers(status: JobStatus): FieldError[] {
  const errors = (['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((field) =>
    nonNegative(status[field], `status.${field}`),
  );
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const)
    for (const [position, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const at = index(`${UNCOUNTED}.${list}`, position);
      if (uid === '') errors.push(invalidValue(at, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(duplicate(at, uid));
      seen.add(uid);
    }
  if (status.ready !== undefined && status.ready > (status.active ?? 0))
    errors.push(invalidValue('status.ready', status.ready, 'cannot set more ready pods than active'));
  return errors;
}

function validateConditions({ spec }: Job, status: JobStatus): FieldError[] {
  const wrong: string[] = [];
  const complete = has(status, 'Complete');
  const failed = has(status, 'Failed');
  const target = has(status, 'FailureTarget');
  const met = has(status, 'SuccessCriteriaMet');
  if (complete && failed) wrong.push('cannot set Complete=True and Failed=true conditions');
  if (complete && target) wrong.push('cannot set Complete=True and FailureTarget=true conditions');
  if (failed && !target) wrong.push('cannot set Failed=True condition without the FailureTarget=true condition');
  if (complete && !met) wrong.push('cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
  if (met && failed) wrong.push('cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (met && target) wrong.push('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (spec?.successPolicy && !met && complete)
    wrong.push('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
  return wrong.map((detail) => invalidAltogether('status.conditions', detail));
}

function validateTimes(status: JobStatus, finished: boolean): FieldError[] {
  const { startTime, completionTime, active = 0, terminating = 0, uncountedTerminatedPods: uncounted } = status;
  const complete = has(status, 'Complete');
  const errors: FieldError[] = [];
  if (completionTime !== undefined && !complete)
    errors.push(
      invalidValue('status.completionTime', completionTime, 'cannot set completionTime when there is no Complete=True condition'),
    );
  if (completionTime === undefined && complete)
    errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  if (startTime !== undefined && completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime))
    errors.push(invalidValue('status.completionTime', completionTime, 'completionTime cannot be set before startTime'));
  if (!finished) return errors;
  if (active > 0) errors.push(invalidValue('status.active', active, 'active>0 is invalid for finished job'));
  if (startTime === undefined) errors.push(required('status.startTime', 'startTime is required for finished job'));
  if ((uncounted?.succeeded?.length ?? 0) + (uncounted?.failed?.length ?? 0) > 0)
    errors.push(invalidValue(UNCOUNTED, uncounted, 'uncountedTerminatedPods needs to be empty for finished job'));
  if (terminating > 0) errors.push(invalidValue('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  return errors;
}

function validateIndexes({ spec }: Job, { completedIndexes = '', failedIndexes }: JobStatus): FieldError[] {
  const errors: FieldError[] = [];
  const completions = spec?.completions;
  const check = (field: 'completedIndexes' | 'failedIndexes', text: string) => {
    const counted = countIndexes(text, completions!);
    if ('wrong' in counted) errors.push(invalidValue(`status.${field}`, text, `error parsing ${field}: ${counted.wrong}`));
  };
  if (completions !== undefined) check('completedIndexes', completedIndexes);
  if (completions !== undefined && spec?.backoffLimitPerIndex !== undefined && failedIndexes !== undefined)
    check('failedIndexes', failedIndexes);
  if (completedIndexes !== '' && spec?.completionMode !== 'Indexed')
    errors.push(
      invalidValue('status.completedIndexes', completedIndexes, 'cannot set non-empty completedIndexes when non-indexed completion mode'),
    );
  if (failedIndexes === undefined) return errors;
  if (spec?.backoffLimitPerIndex === undefined)
    errors.push(invalidValue('status.failedIndexes', failedIndexes, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'));
  if (errors.length > 0 || completions === undefined) return errors;
  const failed = parseIndexes(failedIndexes, completions);
  const both = [...parseIndexes(completedIndexes, completions)].find((each) => failed.has(each));
  if (both !== undefined)
    errors.push(invalidValue('status.failedIndexes', failedIndexes, `failedIndexes and completedIndexes overlap at index: ${both}`));
  return errors;
}

function validateTransition(status: JobStatus, old: JobStatus, { spec }: Job): FieldError[] {
  const errors = ['Failed', 'Complete', 'FailureTarget', 'SuccessCriteriaMet']
    .filter((type) => has(old, type) && !has(status, type))
    .map((type) => invalidAltogether('status.conditions', `cannot disable the terminal ${type}=True condition`));
  for (const field of ['succeeded', 'failed'] as const)
    if ((status[field] ?? 0) < (old[field] ?? 0) && spec?.completionMode !== 'Indexed')
      errors.push(invalidValue(`status.${field}`, status[field] ?? 0, `cannot decrease the ${field} counter`));
  if (old.completionTime !== undefined && !isEqual(old.completionTime, status.completionTime))
    errors.push(invalidValue('status.completionTime', status.completionTime, 'field is immutable'));
  if (isFinished(old) && old.startTime !== undefined && !isEqual(old.startTime, status.startTime))
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  return errors;
}
