// What else steers a pod to a node or holds it back: tolerations, spread constraints, scheduling and readiness gates.
import type { PodReadinessGate, PodSchedulingGate, Toleration, TopologySpreadConstraint } from '#api/generated/core-v1.ts';
import { type FieldError, child, duplicate, index, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { validateLabelName } from '#api/meta/meta-validation.ts';
import { isQualifiedName, isValidLabelValue } from '#api/meta/names.ts';
import { oneOf } from '../../one-of.ts';
import { validateLabelSelector } from '../../label-selector-validation.ts';

export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway'];

export function validateTolerations(tolerations: readonly Toleration[], path: string): FieldError[] {
  return tolerations.flatMap((toleration, position) => validateToleration(toleration, index(path, position)));
}

export function validateReadinessGates(gates: readonly PodReadinessGate[], path: string): FieldError[] {
  return gates.flatMap(({ conditionType = '' }, position) =>
    isQualifiedName(conditionType).map((message) => invalidValue(child(index(path, position), 'conditionType'), conditionType, message)),
  );
}

export function validateSchedulingGates(gates: readonly PodSchedulingGate[], path: string): FieldError[] {
  const names = new Set<string>();
  return gates.flatMap(({ name = '' }, position) => {
    const at = index(path, position);
    const errors = isQualifiedName(name).map((message) => invalidValue(child(at, 'name'), name, message));
    if (names.has(name)) errors.push(duplicate(at, name));
    names.add(name);
    return errors;
  });
}

export function validateTopologySpread(constraints: readonly TopologySpreadConstraint[], path: string): FieldError[] {
  const seen = new Set<string>();
  return constraints.flatMap((constraint, position) => {
    const at = index(path, position);
    const errors = validateConstraint(constraint, at);
    const pair = `{${constraint.topologyKey ?? ''}, ${constraint.whenUnsatisfiable ?? ''}}`;
    if (seen.has(pair)) errors.push(duplicate(child(at, '{topologyKey, whenUnsatisfiable}'), pair));
    seen.add(pair);
    return errors;
  });
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration;
  const errors = key === '' ? [] : validateLabelName(key, child(path, 'key'));
  if (key === '' && operator !== 'Exists')
    errors.push(
      invalidValue(
        child(path, 'operator'),
        operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    errors.push(invalidValue(child(path, 'effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  if (operator === '' || operator === 'Equal') {
    const wrong = isValidLabelValue(value);
    if (wrong.length > 0) errors.push(invalidValue(child(path, 'operator'), value, wrong.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '') errors.push(invalidValue(child(path, 'operator'), toleration, "value must be empty when `operator` is 'Exists'"));
  } else errors.push(notSupported(child(path, 'operator'), operator, ['Equal', 'Exists']));
  if (effect !== '' && !TAINT_EFFECTS.includes(effect)) errors.push(notSupported(child(path, 'effect'), effect, TAINT_EFFECTS));
  return errors;
}

function validateConstraint(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains } = constraint;
  const errors: FieldError[] = [];
  if (maxSkew <= 0) errors.push(invalidValue(child(path, 'maxSkew'), maxSkew, 'must be greater than zero'));
  if (topologyKey === '') errors.push(required(child(path, 'topologyKey'), 'can not be empty'));
  else errors.push(...validateLabelName(topologyKey, child(path, 'topologyKey')));
  if (!UNSATISFIABLE.includes(whenUnsatisfiable))
    errors.push(notSupported(child(path, 'whenUnsatisfiable'), whenUnsatisfiable, UNSATISFIABLE));
  if (minDomains !== undefined) {
    if (minDomains <= 0) errors.push(invalidValue(child(path, 'minDomains'), minDomains, 'must be greater than zero'));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
      errors.push(invalidValue(child(path, 'minDomains'), minDomains, detail));
    }
  }
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const)
    if (constraint[field] !== undefined) errors.push(...oneOf(constraint[field], ['Honor', 'Ignore'], child(path, field)));
  return [
    ...errors,
    ...validateMatchLabelKeys(constraint, path),
    ...validateLabelSelector(constraint.labelSelector, child(path, 'labelSelector')),
  ];
}

function validateMatchLabelKeys({ matchLabelKeys = [], labelSelector }: TopologySpreadConstraint, path: string): FieldError[] {
  const at = child(path, 'matchLabelKeys');
  if (matchLabelKeys.length > 0 && !labelSelector) return [notAllowed(at, 'must not be specified when labelSelector is not set')];
  return matchLabelKeys.flatMap((name, position) => validateLabelName(name, index(at, position)));
}
