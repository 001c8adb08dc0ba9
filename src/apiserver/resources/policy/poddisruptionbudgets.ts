// Disruption budgets: how many pods must stay, or how many may be away; one of the two.
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '#api/generated/policy-v1.ts';
import { poddisruptionbudgets } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notSupported } from '#api/meta/field-errors.ts';
import { isValidPercent } from '#api/meta/int-or-string.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';
import { nonNegative } from '../numbers.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell } from '../table-cells.ts';

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];

export const podDisruptionBudgetRules: ResourceRules<PodDisruptionBudget> = {
  resource: poddisruptionbudgets,
  setDefaults(budget) {
    budget.status ??= {};
    budget.status.disruptionsAllowed ??= 0;
    budget.status.currentHealthy ??= 0;
    budget.status.desiredHealthy ??= 0;
    budget.status.expectedPods ??= 0;
  },
  prepareForCreate(budget) {
    dropStatus(budget);
    budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => validateSpec(spec ?? {}),
  status: {
    validateUpdate: ({ status = {} }) => [
      ...nonNegative(status.disruptionsAllowed, 'status.disruptionsAllowed'),
      ...nonNegative(status.currentHealthy, 'status.currentHealthy'),
      ...nonNegative(status.desiredHealthy, 'status.desiredHealthy'),
      ...nonNegative(status.expectedPods, 'status.expectedPods'),
    ],
  },
  columns: [
    nameCell,
    ({ spec }) => String(spec?.minAvailable ?? 'N/A'),
    ({ spec }) => String(spec?.maxUnavailable ?? 'N/A'),
    ({ status }) => status?.disruptionsAllowed ?? 0,
    ageCell,
  ],
};

function validateSpec(spec: PodDisruptionBudgetSpec): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  errors.push(...validateAmount(minAvailable, 'spec.minAvailable'), ...validateAmount(maxUnavailable, 'spec.maxUnavailable'));
  errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
  if (policy !== undefined && !EVICTION_POLICIES.includes(policy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, EVICTION_POLICIES));
  }
  return errors;
}

function validateAmount(amount: number | string | undefined, path: string): FieldError[] {
  if (amount === undefined || typeof amount === 'number') return nonNegative(amount as number | undefined, path);
  const errors = isValidPercent(amount).map((message) => invalidValue(path, amount, message));
  if (errors.length === 0 && Number.parseInt(amount) > 100) errors.push(invalidValue(path, amount, 'must not be greater than 100%'));
  return errors;
}
