// Resource quotas: known resources, scopes that fit them and one another; the scopes never change.
import type { ResourceQuota, ResourceQuotaSpec } from '#api/generated/core-v1.ts';
import { resourcequotas } from '#api/generated/resources.ts';
import { type FieldError, invalidValue, key, required } from '#api/meta/field-errors.ts';
import { isQualifiedName } from '#api/meta/names.ts';
import { canonicalQuantity } from '#api/meta/quantity.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell } from '../table-cells.ts';
import { isStandardResource, validateResourceName, validateResourceQuantity } from './resource-names.ts';

const SCOPES = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity'];
const CONFLICTING = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;
const ONLY_EXIST: ReadonlySet<string> = new Set(SCOPES.filter((scope) => scope !== 'PriorityClass'));
const MUST_EXIST =
  "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
const POD_AMOUNTS = ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);
const IN_POD_SCOPES: ReadonlySet<string> = new Set(['pods', ...POD_AMOUNTS]);

export const resourceQuotaRules: ResourceRules<ResourceQuota> = {
  resource: resourcequotas,
  setDefaults(quota) {
    quota.status ??= {};
  },
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => validateSpec(spec ?? {}),
  validateUpdate({ spec }, old) {
    const [now, before] = [spec?.scopes ?? [], old.spec?.scopes ?? []].map((scopes) => [...new Set(scopes)].sort().join(','));
    return now === before ? [] : [invalidValue('spec.scopes', spec?.scopes ?? null, 'field is immutable')];
  },
  status: {
    validateUpdate: ({ status }) => [...validateAmounts(status?.hard, 'status.hard'), ...validateAmounts(status?.used, 'status.used')],
  },
  columns: [
    nameCell,
    (quota) => usageCell(quota, (name) => !name.startsWith('limits.')),
    (quota) => usageCell(quota, (name) => name.startsWith('limits.')),
    ageCell,
  ],
};

function validateSpec(spec: ResourceQuotaSpec): FieldError[] {
  return [...validateAmounts(spec.hard, 'spec.hard'), ...validateScopes(spec), ...validateScopeSelector(spec)];
}

function validateAmounts(amounts: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const at = key(path, name);
    return [...validateName(name, at), ...validateResourceQuantity(name, amount, at)];
  });
}

function validateName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (name.includes('/') || isQualifiedName(name).length > 0 || (isStandardResource(name) && name !== 'storage')) return errors;
  return [...errors, invalidValue(path, name, 'must be a standard resource for quota')];
}

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const { scopes = [] } = spec;
  const refuse = (text: string) => invalidValue('spec.scopes', scopes, text);
  const errors = scopes.flatMap((scope) => [
    ...(isScope(scope) ? [] : [refuse('unsupported scope')]),
    ...unfitting(spec, scope).map(() => refuse('unsupported scope applied to resource')),
  ]);
  return [...errors, ...conflicts(scopes).map(() => refuse('conflicting scopes'))];
}

function validateScopeSelector(spec: ResourceQuotaSpec): FieldError[] {
  if (spec.scopeSelector === undefined) return [];
  const path = 'spec.scopeSelector.matchExpressions';
  const expressions = spec.scopeSelector.matchExpressions ?? [];
  const errors: FieldError[] = [];
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!isScope(scopeName)) errors.push(invalidValue(`${path}.scopeName`, scopeName ?? '', 'unsupported scope'));
    for (const _ of unfitting(spec, scopeName))
      errors.push(invalidValue(path, spec.scopeSelector, 'unsupported scope applied to resource'));
    if (ONLY_EXIST.has(scopeName) && operator !== 'Exists') errors.push(invalidValue(`${path}.operator`, operator ?? '', MUST_EXIST));
    if (operator === 'In' || operator === 'NotIn') {
      const text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      if (values.length === 0) errors.push(required(`${path}.values`, text));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      if (values.length > 0) errors.push(invalidValue(`${path}.values`, values, text));
    } else errors.push(invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
  }
  const scopes = expressions.map(({ scopeName }) => scopeName);
  return [...errors, ...conflicts(scopes).map(() => invalidValue(path, spec.scopeSelector, 'conflicting scopes'))];
}

const isScope = (scope: string): boolean => SCOPES.includes(scope) || scope === 'VolumeAttributesClass';

function conflicts(scopes: readonly string[]): (readonly string[])[] {
  return CONFLICTING.filter((pair) => pair.every((scope) => scopes.includes(scope)));
}

/** The counted resources that a scope cannot be about. */
function unfitting({ hard = {} }: ResourceQuotaSpec, scope: string): string[] {
  const fits = (name: string): boolean => {
    if (scope === 'BestEffort') return name === 'pods';
    if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage';
    return IN_POD_SCOPES.has(name) || /^(requests\.)?hugepages-/.test(name);
  };
  return isScope(scope) ? Object.keys(hard).filter((name) => isStandardResource(name) && !fits(name)) : [];
}

/** `pods: 1/2, requests.cpu: 0/1` */
function usageCell({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  const { hard = {}, used = {} } = status ?? {};
  return Object.keys(hard)
    .filter(isShown)
    .sort()
    .map((name) => `${name}: ${canonicalQuantity(used[name] ?? '0')}/${canonicalQuantity(hard[name]!)}`)
    .join(', ');
}
