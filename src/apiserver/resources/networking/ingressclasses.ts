// Ingress classes: which controller serves an ingress, and with which parameters.
import type { IngressClass, IngressClassSpec } from '#api/generated/networking-v1.ts';
import { ingressclasses } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, notAllowed, notSupported, required, tooLong } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { isDns1123Subdomain } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

const DEFAULT_CLASS_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';
const MAX_CONTROLLER_BYTES = 250;
const SCOPES = ['Cluster', 'Namespace'];
const PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

export const ingressClassRules: ResourceRules<IngressClass> = {
  resource: ingressclasses,
  setDefaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster';
  },
  validate: ({ spec = {} }) => [...validateController(spec.controller ?? ''), ...validateParameters(spec)],
  validateUpdate: (ingressClass, old) => validateImmutableField(ingressClass.spec?.controller, old.spec?.controller, 'spec.controller'),
  columns: [
    (ingressClass) =>
      `${nameCell(ingressClass)}${ingressClass.metadata.annotations?.[DEFAULT_CLASS_ANNOTATION] === 'true' ? ' (default)' : ''}`,
    ({ spec }) => spec?.controller ?? '',
    ({ spec }) => {
      if (!spec?.parameters) return '<none>';
      const { kind, apiGroup, name } = spec.parameters;
      return `${kind}${apiGroup ? `.${apiGroup}` : ''}/${name}`;
    },
    ageCell,
  ],
};

function validateController(controller: string): FieldError[] {
  const path = 'spec.controller';
  if (Buffer.byteLength(controller) > MAX_CONTROLLER_BYTES) return [tooLong(path, MAX_CONTROLLER_BYTES)];
  if (controller === '') return [required(path)];
  const slash = controller.indexOf('/');
  if (slash <= 0 || slash === controller.length - 1) {
    return [invalidValue(path, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = isDns1123Subdomain(controller.slice(0, slash)).map((text) => invalidValue(path, controller.slice(0, slash), text));
  if (!PATH.test(controller.slice(slash + 1))) {
    const text = `Invalid path (regex used for validation is '${PATH.source.slice(1, -1)}')`;
    errors.push(invalidValue(path, controller.slice(slash + 1), text));
  }
  return errors;
}

function validateParameters({ parameters }: IngressClassSpec): FieldError[] {
  if (!parameters) return [];
  const path = 'spec.parameters';
  const { kind, name, scope = '', namespace } = parameters;
  const errors = [...(kind ? [] : [required(`${path}.kind`)]), ...(name ? [] : [required(`${path}.name`)])];
  if (scope === '') errors.push(required(`${path}.scope`));
  else if (!SCOPES.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, SCOPES));
  if (scope === 'Namespace' && !namespace) errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  if (scope === 'Cluster' && namespace !== undefined) {
    errors.push(notAllowed(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}
