// Which metrics of an autoscaler are well-formed: one source each, of the type that is named, with the target that it can have.
import type { CrossVersionObjectReference, MetricIdentifier, MetricSpec, MetricTarget } from '#api/generated/autoscaling-v2.ts';
import { type FieldError, child, index, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { pathSegmentName } from '#api/meta/names.ts';
import { compareQuantities } from '#api/meta/quantity.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';

const FIELD_OF_TYPE: Readonly<Record<string, 'containerResource' | 'external' | 'object' | 'pods' | 'resource'>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];

type CheckReference = (reference: CrossVersionObjectReference | undefined, path: string) => FieldError[];

export function validateMetrics(metrics: readonly MetricSpec[], path: string, checkReference: CheckReference): FieldError[] {
  return metrics.flatMap((metric, position) => validateMetric(metric, index(path, position), checkReference));
}

function validateMetric(metric: MetricSpec, path: string, checkReference: CheckReference): FieldError[] {
  if (!metric.type) return [required(child(path, 'type'), 'must specify a metric source type')];
  const expected = FIELD_OF_TYPE[metric.type];
  const errors: FieldError[] = [];
  if (expected === undefined) errors.push(notSupported(child(path, 'type'), metric.type, Object.keys(FIELD_OF_TYPE)));
  else if (metric[expected] === undefined) {
    errors.push(required(child(path, expected), 'must populate information for the given metric source'));
  }
  const present = Object.values(FIELD_OF_TYPE).filter((field) => metric[field] !== undefined);
  for (const field of present) {
    if (field !== expected && present.length > 1) {
      errors.push(notAllowed(child(path, field), 'must populate the given metric source only'));
    }
  }
  return [...errors, ...validateSources(metric, path, checkReference)];
}

function validateSources(metric: MetricSpec, path: string, checkReference: CheckReference): FieldError[] {
  const errors: FieldError[] = [];
  const { object, pods, external, resource, containerResource } = metric;
  if (object) {
    const at = child(path, 'object');
    errors.push(...checkReference(object.describedObject, child(at, 'describedObject')), ...validateIdentifier(object.metric, at));
    errors.push(...validateTarget(object.target, at), ...needsValue(object.target, at, 'must set either a target value or averageValue'));
  }
  if (external) {
    const at = child(path, 'external');
    errors.push(...validateIdentifier(external.metric, at), ...validateTarget(external.target, at));
    errors.push(...needsValue(external.target, at, 'must set either a target value for metric or a per-pod target'));
    if (external.target?.value !== undefined && external.target.averageValue !== undefined) {
      errors.push(notAllowed(child(at, 'target', 'value'), 'may not set both a target value for metric and a per-pod target'));
    }
  }
  if (pods) {
    const at = child(path, 'pods');
    errors.push(...validateIdentifier(pods.metric, at), ...validateTarget(pods.target, at));
    if (!isPositive(pods.target?.averageValue)) {
      errors.push(required(child(at, 'target', 'averageValue'), 'must specify a positive target averageValue'));
    }
  }
  if (resource) errors.push(...validateResource(resource, child(path, 'resource')));
  if (containerResource) {
    const at = child(path, 'containerResource');
    if (!containerResource.container) errors.push(required(child(at, 'container'), 'must specify a container'));
    errors.push(...validateResource(containerResource, at));
  }
  return errors;
}

function validateResource({ name, target }: { name: string; target: MetricTarget }, path: string): FieldError[] {
  const errors = name ? [] : [required(child(path, 'name'), 'must specify a resource name')];
  errors.push(...validateTarget(target, path));
  const { averageUtilization, averageValue } = target ?? {};
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.push(required(child(path, 'target', 'averageUtilization'), 'must set either a target raw value or a target utilization'));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(notAllowed(child(path, 'target', 'averageValue'), 'may not set both a target raw value and a target utilization'));
  }
  return errors;
}

function validateIdentifier(metric: MetricIdentifier | undefined, path: string): FieldError[] {
  const at = child(path, 'metric');
  const name = metric?.name ?? '';
  const errors =
    name === ''
      ? [required(child(at, 'name'), 'must specify a metric name')]
      : pathSegmentName(name, false).map((message) => invalidValue(child(at, 'name'), name, message));
  return [...errors, ...validateLabelSelector(metric?.selector, child(at, 'selector'))];
}

function validateTarget(target: MetricTarget | undefined, path: string): FieldError[] {
  const at = (field: string) => child(path, 'target', field);
  const { type = '', value, averageValue, averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  if (type === '') errors.push(required(at('type'), 'must specify a metric target type'));
  if (!TARGET_TYPES.includes(type)) errors.push(invalidValue(at('type'), type, 'must be either Utilization, Value, or AverageValue'));
  if (value !== undefined && !isPositive(value)) errors.push(invalidValue(at('value'), value, 'must be positive'));
  if (averageValue !== undefined && !isPositive(averageValue)) {
    errors.push(invalidValue(at('averageValue'), averageValue, 'must be positive'));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalidValue(at('averageUtilization'), averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

function needsValue(target: MetricTarget | undefined, path: string, text: string): FieldError[] {
  return target?.value === undefined && target?.averageValue === undefined ? [required(child(path, 'target', 'averageValue'), text)] : [];
}

const isPositive = (amount: string | undefined): boolean => amount !== undefined && compareQuantities(amount, '0') > 0;
