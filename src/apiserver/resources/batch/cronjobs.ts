// Cron jobs: a schedule that can be understood, and a template of Jobs whose selectors the server will make.
import { isTimeZone, parseSchedule } from '#api/batch/schedule.ts';
import type { CronJob, CronJobSpec } from '#api/generated/batch-v1.ts';
import { cronjobs } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notSupported, required } from '#api/meta/field-errors.ts';
import { containerImages, containerNames, ageCell, humanDuration, nameCell, selectorCell } from '../table-cells.ts';
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts';
import { templateWarnings } from '../core/pod-spec/warnings.ts';
import { nonNegative } from '../numbers.ts';
import { oneOf } from '../one-of.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { validateJobSpec } from './job-spec.ts';

/** The Jobs' names are the CronJob's with a dash and ten digits or so more, and must still be labels. */
const MAX_NAME = 52;
const TZ_IN_SCHEDULE = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';

export const cronJobRules: ResourceRules<CronJob> = {
  resource: cronjobs,
  setDefaults(cronJob) {
    cronJob.status ??= {};
    const { spec } = cronJob;
    if (!spec) return;
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    if (spec.jobTemplate) {
      spec.jobTemplate.metadata ??= {};
      setPodTemplateDefaults(spec.jobTemplate.spec?.template);
    }
  },
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  validate(cronJob) {
    const { name = '' } = cronJob.metadata;
    return [
      ...validateSpec(cronJob.spec ?? ({} as CronJobSpec)),
      ...(name.length > MAX_NAME ? [invalidValue('metadata.name', name, `must be no more than ${MAX_NAME} characters`)] : []),
    ];
  },
  warnings: ({ spec }) => templateWarnings(spec?.jobTemplate?.spec?.template, 'spec.jobTemplate.spec.template'),
  columns: [
    nameCell,
    ({ spec }) => spec?.schedule ?? '',
    ({ spec }) => spec?.timeZone ?? '<none>',
    ({ spec }) => (spec?.suspend ? 'True' : 'False'),
    ({ status }) => status?.active?.length ?? 0,
    ({ status }, { now }) =>
      status?.lastScheduleTime === undefined ? '<none>' : humanDuration((now - Date.parse(status.lastScheduleTime)) / 1000),
    ageCell,
    ({ spec }) => containerNames(spec?.jobTemplate?.spec?.template?.spec?.containers),
    ({ spec }) => containerImages(spec?.jobTemplate?.spec?.template?.spec?.containers),
    ({ spec }) => selectorCell(spec?.jobTemplate?.spec?.selector),
  ],
};

function validateSpec(spec: CronJobSpec): FieldError[] {
  const errors = spec.schedule ? validateSchedule(spec.schedule) : [required('spec.schedule')];
  errors.push(
    ...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...validateTimeZone(spec.timeZone),
    ...oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy'),
  );
  const job = spec.jobTemplate?.spec;
  const path = 'spec.jobTemplate.spec';
  if (job === undefined) errors.push(required(path));
  else {
    errors.push(...validateJobSpec(job, path));
    if (job.selector) errors.push(invalidValue(`${path}.selector`, job.selector, '`selector` will be auto-generated'));
    if (job.manualSelector) errors.push(notSupported(`${path}.manualSelector`, job.manualSelector, ['nil', 'false']));
  }
  return [
    ...errors,
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  ];
}

function validateSchedule(schedule: string): FieldError[] {
  if (/TZ=/.test(schedule)) return [invalidValue('spec.schedule', schedule, TZ_IN_SCHEDULE)];
  try {
    parseSchedule(schedule);
    return [];
  } catch (error) {
    return [invalidValue('spec.schedule', schedule, (error as Error).message)];
  }
}

function validateTimeZone(timeZone: string | undefined): FieldError[] {
  const path = 'spec.timeZone';
  if (timeZone === undefined) return [];
  if (timeZone === '') return [invalidValue(path, timeZone, 'timeZone must be nil or non-empty string')];
  if (timeZone.toLowerCase() === 'local')
    return [invalidValue(path, timeZone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')];
  return isTimeZone(timeZone) ? [] : [invalidValue(path, timeZone, `unknown time zone ${timeZone}`)];
}
