// Which Job specs are well-formed: for Jobs and for the templates of CronJobs.
import type { JobSpec } from '#api/generated/batch-v1.ts';
import { type FieldError, child, invalidValue, notSupported, required, tooLong } from '#api/meta/field-errors.ts';
import { isDns1123Subdomain } from '#api/meta/names.ts';
import { validatePodTemplate } from '../core/pod-spec/template.ts';
import { nonNegative } from '../numbers.ts';
import { validatePodFailurePolicy, validateSuccessPolicy } from './job-policies.ts';

const MAX_INDEXED = 100_000;
const MAX_WITH_MANY_COMPLETIONS = 10_000;
const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const satisfies readonly (keyof JobSpec)[];

export function validateJobSpec(spec: JobSpec, path: string): FieldError[] {
  const at = (field: string) => child(path, field);
  const errors = COUNTS.flatMap((field) => nonNegative(spec[field], at(field)));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.push(required(at('backoffLimitPerIndex'), 'when maxFailedIndexes is specified'));
  errors.push(...validateManagedBy(spec.managedBy, at('managedBy')), ...validateCompletionMode(spec, path));
  if (spec.podFailurePolicy) errors.push(...validatePodFailurePolicy(spec, spec.podFailurePolicy, at('podFailurePolicy')));
  if (spec.successPolicy && spec.completionMode !== 'Indexed')
    errors.push(invalidValue(at('successPolicy'), spec.successPolicy, 'requires indexed completion mode'));
  else if (spec.successPolicy) errors.push(...validateSuccessPolicy(spec.successPolicy, spec.completions ?? 0, at('successPolicy')));
  errors.push(...validateReplacement(spec, at('podReplacementPolicy')));
  if (!spec.template) return [...errors, required(at('template'))];
  return [...errors, ...validatePodTemplate(spec.template, at('template')), ...validateRestartPolicy(spec, path)];
}

function validateManagedBy(managedBy: string | undefined, path: string): FieldError[] {
  if (managedBy === undefined) return [];
  const errors: FieldError[] = [];
  const [host, ...rest] = managedBy.split('/');
  const name = rest.join('/');
  if (!managedBy) errors.push(required(path));
  else if (!host || !name) errors.push(invalidValue(path, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else errors.push(...isDns1123Subdomain(host).map((message) => invalidValue(path, host, message)));
  if (managedBy.length > 63) errors.push(tooLong(path, 63));
  return errors;
}

function validateCompletionMode(spec: JobSpec, path: string): FieldError[] {
  const at = (field: string) => child(path, field);
  const { completionMode = 'NonIndexed', completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec;
  if (completionMode === 'NonIndexed') {
    return (['backoffLimitPerIndex', 'maxFailedIndexes'] as const).flatMap((field) =>
      spec[field] === undefined ? [] : [invalidValue(at(field), spec[field], 'requires indexed completion mode')],
    );
  }
  if (completionMode !== 'Indexed') return [notSupported(at('completionMode'), completionMode, ['NonIndexed', 'Indexed'])];
  const errors: FieldError[] = [];
  if (completions === undefined) errors.push(required(at('completions'), 'when completion mode is Indexed'));
  if (parallelism > MAX_INDEXED)
    errors.push(
      invalidValue(at('parallelism'), parallelism, `must be less than or equal to ${MAX_INDEXED} when completion mode is Indexed`),
    );
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions)
    errors.push(invalidValue(at('maxFailedIndexes'), maxFailedIndexes, 'must be less than or equal to completions'));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > MAX_INDEXED)
    errors.push(invalidValue(at('maxFailedIndexes'), maxFailedIndexes, `must be less than or equal to ${MAX_INDEXED}`));
  if ((completions ?? 0) <= MAX_INDEXED || backoffLimitPerIndex === undefined) return errors;
  const above = `must be less than or equal to ${MAX_WITH_MANY_COMPLETIONS} when completions are above ${MAX_INDEXED} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined)
    errors.push(required(at('maxFailedIndexes'), `must be specified when completions is above ${MAX_INDEXED}`));
  if (parallelism > MAX_WITH_MANY_COMPLETIONS) errors.push(invalidValue(at('parallelism'), parallelism, above));
  if ((maxFailedIndexes ?? 0) > MAX_WITH_MANY_COMPLETIONS) errors.push(invalidValue(at('maxFailedIndexes'), maxFailedIndexes, above));
  return errors;
}

/** With a failure policy only pods that have truly failed are replaced: how they failed decides. */
function validateReplacement({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  if (policy === undefined) return [];
  const supported = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  return supported.includes(policy) ? [] : [notSupported(path, policy, supported)];
}

function validateRestartPolicy({ template, podFailurePolicy }: JobSpec, path: string): FieldError[] {
  const at = child(path, 'template', 'spec', 'restartPolicy');
  const policy = template.spec?.restartPolicy ?? '';
  if (policy === 'Always' || policy === '') return [required(at, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(at, policy, ['OnFailure', 'Never'])];
  if (podFailurePolicy && policy !== 'Never')
    return [invalidValue(at, policy, 'only "Never" is supported when podFailurePolicy is specified')];
  return [];
}
