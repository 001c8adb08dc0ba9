// Affinity: to nodes by their labels and names, to other pods by theirs.
import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, notAllowed, required } from '#api/meta/field-errors.ts';
import { validateLabelName } from '#api/meta/meta-validation.ts';
import { isDns1123Label, isDns1123Subdomain, isValidLabelValue } from '#api/meta/names.ts';
import { validateLabelSelector } from '../../label-selector-validation.ts';

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  if (!affinity) return [];
  const errors: FieldError[] = [];
  if (affinity.nodeAffinity) {
    const at = child(path, 'nodeAffinity');
    const { [REQUIRED]: selector, [PREFERRED]: preferred = [] } = affinity.nodeAffinity;
    if (selector) errors.push(...validateNodeSelector(selector, child(at, REQUIRED)));
    for (const [position, { weight, preference }] of preferred.entries()) {
      const place = index(child(at, PREFERRED), position);
      errors.push(...validateWeight(weight, place), ...validateTerm(preference ?? {}, child(place, 'preference')));
    }
  }
  for (const field of ['podAffinity', 'podAntiAffinity'] as const)
    if (affinity[field]) errors.push(...validatePodAffinity(affinity[field], child(path, field)));
  return errors;
}

export function validateNodeSelector({ nodeSelectorTerms = [] }: NodeSelector, path: string): FieldError[] {
  const at = child(path, 'nodeSelectorTerms');
  if (nodeSelectorTerms.length === 0) return [required(at, 'must have at least one node selector term')];
  return nodeSelectorTerms.flatMap((term, position) => validateTerm(term, index(at, position)));
}

function validateTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, path: string): FieldError[] {
  return [
    ...matchExpressions.flatMap((requirement, position) =>
      validateExpression(requirement, index(child(path, 'matchExpressions'), position)),
    ),
    ...matchFields.flatMap((requirement, position) => validateField(requirement, index(child(path, 'matchFields'), position))),
  ];
}

function validateExpression({ key = '', operator = '', values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const at = child(path, 'values');
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) errors.push(notAllowed(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      break;
    default:
      errors.push(invalidValue(child(path, 'operator'), operator, 'not a valid selector operator'));
  }
  errors.push(...validateLabelName(key, child(path, 'key')));
  for (const [position, value] of values.entries())
    errors.push(...isValidLabelValue(value).map((message) => invalidValue(index(at, position), value, message)));
  return errors;
}

function validateField({ key = '', operator = '', values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn')
    errors.push(invalidValue(child(path, 'operator'), operator, 'not a valid selector operator'));
  else if (values.length !== 1)
    errors.push(required(child(path, 'values'), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  if (key !== 'metadata.name') return [...errors, invalidValue(child(path, 'key'), key, 'not a valid field selector key')];
  for (const [position, value] of values.entries())
    errors.push(...isDns1123Subdomain(value).map((message) => invalidValue(index(child(path, 'values'), position), value, message)));
  return errors;
}

function validatePodAffinity({ [REQUIRED]: terms = [], [PREFERRED]: preferred = [] }: PodAffinity, path: string): FieldError[] {
  return [
    ...terms.flatMap((term, position) => validatePodTerm(term, index(child(path, REQUIRED), position))),
    ...preferred.flatMap(({ weight, podAffinityTerm }, position) => {
      const at = index(child(path, PREFERRED), position);
      return [...validateWeight(weight, at), ...validatePodTerm(podAffinityTerm ?? ({} as PodAffinityTerm), child(at, 'podAffinityTerm'))];
    }),
  ];
}

function validatePodTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const errors = validateLabelSelector(term.labelSelector, child(path, 'labelSelector'));
  errors.push(...validateLabelSelector(term.namespaceSelector, child(path, 'namespaceSelector')));
  for (const name of term.namespaces ?? [])
    errors.push(...isDns1123Label(name).map((message) => invalidValue(child(path, 'namespace'), name, message)));
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    const keys = term[field] ?? [];
    if (keys.length > 0 && !term.labelSelector)
      errors.push(notAllowed(child(path, field), 'must not be specified when labelSelector is not set'));
    for (const [position, name] of keys.entries()) errors.push(...validateLabelName(name, index(child(path, field), position)));
  }
  const { topologyKey = '' } = term;
  if (topologyKey === '') errors.push(required(child(path, 'topologyKey'), 'can not be empty'));
  return [...errors, ...validateLabelName(topologyKey, child(path, 'topologyKey'))];
}

function validateWeight(weight: number | undefined, path: string): FieldError[] {
  const value = weight ?? 0;
  return value >= 1 && value <= 100 ? [] : [invalidValue(child(path, 'weight'), value, 'must be in the range 1-100')];
}
