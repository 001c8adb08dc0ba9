// What of a pod's spec may change after its creation, and what may not.
import type { Container, Pod, PodSpec, Toleration } from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, notAllowed } from '#api/meta/field-errors.ts';
import { isEqual } from '#api/meta/meta-validation.ts';
import { differenceOf } from '../difference.ts';

const MAX_INT32 = 2_147_483_647;
const CHANGEABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec!;
  const oldSpec = old.spec!;
  for (const field of ['containers', 'initContainers'] as const)
    if ((spec[field] ?? []).length !== (oldSpec[field] ?? []).length)
      return [notAllowed(child('spec', field), 'pod updates may not add or remove containers')];
  const deadline = validateDeadline(spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds);
  if (deadline.stop) return deadline.errors;
  const errors = [...deadline.errors];
  errors.push(...validateAddedTolerations(spec.tolerations ?? [], oldSpec.tolerations ?? []));
  errors.push(...validateDeletedGates(spec, oldSpec));
  const gated = (oldSpec.schedulingGates?.length ?? 0) > 0;
  if (gated) errors.push(...validateNodeSelectorAdditions(spec, oldSpec));
  const comparable = withChangeableFrom(spec, oldSpec, gated);
  if (!isEqual(comparable, oldSpec))
    errors.push(
      notAllowed('spec', `pod updates may not change fields other than ${CHANGEABLE.join(',')}\n${differenceOf(comparable, oldSpec)}`),
    );
  return errors;
}

function validateDeadline(deadline: number | undefined, old: number | undefined): { errors: FieldError[]; stop: boolean } {
  const path = 'spec.activeDeadlineSeconds';
  if (deadline === undefined) {
    const errors = old === undefined ? [] : [invalidValue(path, deadline, 'must not update from a positive integer to nil value')];
    return { errors, stop: false };
  }
  if (deadline < 0 || deadline > MAX_INT32)
    return { errors: [invalidValue(path, deadline, `must be between 0 and ${MAX_INT32}, inclusive`)], stop: true };
  if (old !== undefined && old < deadline)
    return { errors: [invalidValue(path, deadline, 'must be less than or equal to previous value')], stop: true };
  return { errors: [], stop: false };
}

function validateAddedTolerations(tolerations: readonly Toleration[], old: readonly Toleration[]): FieldError[] {
  const withoutSeconds = (toleration: Toleration) => ({ ...toleration, tolerationSeconds: undefined });
  for (const before of old) {
    const kept = tolerations.some((toleration) => isEqual(withoutSeconds(toleration), withoutSeconds(before)));
    if (!kept) return [notAllowed('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
  }
  return [];
}

function validateDeletedGates({ schedulingGates = [] }: PodSpec, old: PodSpec): FieldError[] {
  return schedulingGates.flatMap(({ name }, position) =>
    (old.schedulingGates ?? []).some((gate) => gate.name === name)
      ? []
      : [notAllowed(index('spec.schedulingGates', position), `only deletion is allowed, but found new scheduling gate '${name}'`)],
  );
}

/** A pod that waits at a gate may be steered more narrowly, never more widely. */
function validateNodeSelectorAdditions({ nodeSelector = {} }: PodSpec, old: PodSpec): FieldError[] {
  const kept = Object.entries(old.nodeSelector ?? {}).every(([name, value]) => nodeSelector[name] === value);
  if (kept) return [];
  return [invalidValue('spec.nodeSelector', nodeSelector, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)')];
}

/** The new spec with all that may change taken from the old one. */
function withChangeableFrom(spec: PodSpec, old: PodSpec, gated: boolean): PodSpec {
  const images = (containers: Container[] | undefined, before: Container[] | undefined) =>
    containers?.map((container, position) => ({ ...container, image: before?.[position]?.image }));
  const result: Record<string, unknown> = {
    ...spec,
    containers: images(spec.containers, old.containers),
    initContainers: images(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
  };
  if (gated) result['nodeSelector'] = old.nodeSelector;
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    result['terminationGracePeriodSeconds'] = old.terminationGracePeriodSeconds;
  return result as unknown as PodSpec;
}
