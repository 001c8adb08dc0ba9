// Which pod templates are well-formed: labels and annotations, which nobody else checks for a template, and the spec.
import type { PodTemplateSpec } from '#api/generated/core-v1.ts';
import { type FieldError, child, notAllowed, required } from '#api/meta/field-errors.ts';
import { validateAnnotations, validateLabels } from '#api/meta/meta-validation.ts';
import { validatePodSpec } from './pod-spec.ts';

export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const spec = child(path, 'spec');
  return [
    // Upstream leaves `metadata` out of these two paths, and so do we.
    ...validateLabels(template.metadata?.labels, child(path, 'labels')),
    ...validateAnnotations(template.metadata?.annotations, child(path, 'annotations')),
    ...(template.spec ? validatePodSpec(template.spec, spec) : [required(child(spec, 'containers'))]),
    ...((template.spec?.ephemeralContainers?.length ?? 0) > 0
      ? [notAllowed(child(spec, 'ephemeralContainers'), 'ephemeral containers not allowed in pod template')]
      : []),
  ];
}
