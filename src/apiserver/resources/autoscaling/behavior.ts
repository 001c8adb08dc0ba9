// How fast an autoscaler may go up and down.
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '#api/generated/autoscaling-v2.ts';
import { type FieldError, child, index, invalidValue, notSupported, required } from '#api/meta/field-errors.ts';
import { isNegativeQuantity } from '#api/meta/quantity.ts';

const SELECT_POLICIES = ['Disabled', 'Max', 'Min'];
const POLICY_TYPES = ['Percent', 'Pods'];
const MAX_PERIOD_SECONDS = 1800;
const MAX_WINDOW_SECONDS = 3600;

export function setBehaviorDefaults(behavior: HorizontalPodAutoscalerBehavior | undefined): void {
  if (behavior === undefined) return;
  behavior.scaleUp ??= {};
  behavior.scaleUp.stabilizationWindowSeconds ??= 0;
  behavior.scaleUp.selectPolicy ??= 'Max';
  behavior.scaleUp.policies ??= [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ];
  behavior.scaleDown ??= {};
  behavior.scaleDown.selectPolicy ??= 'Max';
  behavior.scaleDown.policies ??= [{ type: 'Percent', value: 100, periodSeconds: 15 }];
}

export function validateBehavior(behavior: HorizontalPodAutoscalerBehavior | undefined, path: string): FieldError[] {
  return [...validateRules(behavior?.scaleUp, child(path, 'scaleUp')), ...validateRules(behavior?.scaleDown, child(path, 'scaleDown'))];
}

function validateRules(rules: HPAScalingRules | undefined, path: string): FieldError[] {
  if (rules === undefined) return [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const errors: FieldError[] = [];
  const at = (field: string) => child(path, field);
  if (window !== undefined && window < 0) {
    errors.push(invalidValue(at('stabilizationWindowSeconds'), window, 'must be greater than or equal to zero'));
  }
  if (window !== undefined && window > MAX_WINDOW_SECONDS) {
    errors.push(invalidValue(at('stabilizationWindowSeconds'), window, `must be less than or equal to ${MAX_WINDOW_SECONDS}`));
  }
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) {
    errors.push(notSupported(at('selectPolicy'), selectPolicy, SELECT_POLICIES));
  }
  if (policies.length === 0) errors.push(required(at('policies'), 'must specify at least one Policy'));
  for (const [position, { type = '', value = 0, periodSeconds = 0 }] of policies.entries()) {
    const policyAt = (field: string) => child(index(at('policies'), position), field);
    if (!POLICY_TYPES.includes(type)) errors.push(notSupported(policyAt('type'), type, POLICY_TYPES));
    if (value <= 0) errors.push(invalidValue(policyAt('value'), value, 'must be greater than zero'));
    if (periodSeconds <= 0) errors.push(invalidValue(policyAt('periodSeconds'), periodSeconds, 'must be greater than zero'));
    if (periodSeconds > MAX_PERIOD_SECONDS) {
      errors.push(invalidValue(policyAt('periodSeconds'), periodSeconds, `must be less than or equal to ${MAX_PERIOD_SECONDS}`));
    }
  }
  if (tolerance !== undefined && isNegativeQuantity(tolerance)) {
    errors.push(invalidValue(at('tolerance'), tolerance, 'must be greater or equal to zero'));
  }
  return errors;
}
