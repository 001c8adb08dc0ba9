// Pod templates: a template by itself, for those who keep templates apart from what uses them.
import type { PodTemplate } from '#api/generated/core-v1.ts';
import { podtemplates } from '#api/generated/resources.ts';
import { required } from '#api/meta/field-errors.ts';
import type { ResourceRules } from '../resource.ts';
import { containerImages, containerNames, labelsCell, nameCell } from '../table-cells.ts';
import { setPodTemplateDefaults } from './pod-spec/defaults.ts';
import { validatePodTemplate } from './pod-spec/template.ts';
import { templateWarnings } from './pod-spec/warnings.ts';

export const podTemplateRules: ResourceRules<PodTemplate> = {
  resource: podtemplates,
  setDefaults: ({ template }) => setPodTemplateDefaults(template),
  validate: ({ template }) => (template ? validatePodTemplate(template, 'template') : [required('template.spec.containers')]),
  warnings: ({ template }) => templateWarnings(template, 'template'),
  columns: [
    nameCell,
    ({ template }) => containerNames(template?.spec?.containers),
    ({ template }) => containerImages(template?.spec?.containers),
    ({ template }) => labelsCell(template?.metadata?.labels),
  ],
};
