// The heart of every kind that makes pods: a selector, and a template whose pods it selects.
import type { PodTemplateSpec } from '#api/generated/core-v1.ts';
import type { LabelSelector } from '#api/generated/meta-v1.ts';
import { type FieldError, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';
import { validatePodTemplate } from '../core/pod-spec/template.ts';

export function validateSelectorAndTemplate(spec: { selector?: LabelSelector; template?: PodTemplateSpec }): FieldError[] {
  const { selector, template } = spec;
  const errors: FieldError[] = [];
  let selectorIsValid = !selector;
  if (!selector) errors.push(required('spec.selector'));
  else {
    const wrong = validateLabelSelector(selector, 'spec.selector');
    errors.push(...wrong);
    selectorIsValid = wrong.length === 0;
    if (isEmpty(selector)) errors.push(invalidValue('spec.selector', selector, 'empty selector is invalid for deployment'));
    if (!selectorIsValid) errors.push(invalidValue('spec.selector', selector, 'invalid label selector'));
  }
  if (!template) return [...errors, required('spec.template')];
  const labels = template.metadata?.labels ?? {};
  // A missing selector selects nothing, so it does not match either: upstream says both.
  if (selectorIsValid && !(selector && isEmpty(selector)) && !selectorOfLabelSelector(selector).matches(labels))
    errors.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  errors.push(...validatePodTemplate(template, 'spec.template'));
  // A Deployment's or ReplicaSet's pods run for ever: whoever ends is started again.
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined)
    errors.push(notAllowed('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in ReplicaSet is not Supported'));
  return errors;
}

const isEmpty = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
