// Checks of the rules of roles and of the subjects and references of bindings.
import type { PolicyRule, RoleRef, Subject } from '#api/generated/rbac-v1.ts';
import { type FieldError, child, index, invalidValue, notSupported, required } from '#api/meta/field-errors.ts';
import { dnsSubdomainName, pathSegmentName } from '#api/meta/names.ts';
import { isDeepStrictEqual } from 'node:util';

const RBAC_GROUP = 'rbac.authorization.k8s.io';

export interface Binding {
  roleRef: RoleRef;
  subjects?: Subject[];
}

export function validateRule(rule: PolicyRule, path: string, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (verbs.length === 0) errors.push(required(child(path, 'verbs'), 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const urls = child(path, 'nonResourceURLs');
    if (namespaced) errors.push(invalidValue(urls, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0)
      errors.push(invalidValue(urls, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    return errors;
  }
  if (apiGroups.length === 0) errors.push(required(child(path, 'apiGroups'), 'resource rules must supply at least one api group'));
  if (resources.length === 0) errors.push(required(child(path, 'resources'), 'resource rules must supply at least one resource'));
  return errors;
}

export function setBindingDefaults(binding: Binding): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= RBAC_GROUP;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'ServiceAccount') delete subject.apiGroup;
    else if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= RBAC_GROUP;
  }
}

export function validateBinding(binding: Binding, roleKinds: readonly string[], namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {};
  if (apiGroup !== RBAC_GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]));
  if (!roleKinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, roleKinds));
  if (name === '') errors.push(required('roleRef.name'));
  else errors.push(...pathSegmentName(name, false).map((message) => invalidValue('roleRef.name', name, message)));
  for (const [position, subject] of (binding.subjects ?? []).entries())
    errors.push(...validateSubject(subject, index('subjects', position), namespaced));
  return errors;
}

export function validateRoleRefUnchanged(binding: Binding, old: Binding): FieldError[] {
  return isDeepStrictEqual(binding.roleRef, old.roleRef) ? [] : [invalidValue('roleRef', binding.roleRef, 'cannot change roleRef')];
}

function validateSubject(subject: Subject, path: string, namespaced: boolean): FieldError[] {
  const { kind = '', name = '', apiGroup = '', namespace = '' } = subject;
  const errors = name === '' ? [required(child(path, 'name'))] : [];
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...dnsSubdomainName(name, false).map((message) => invalidValue(child(path, 'name'), name, message)));
    if (apiGroup !== '') errors.push(notSupported(child(path, 'apiGroup'), apiGroup, ['']));
    if (!namespaced && namespace === '') errors.push(required(child(path, 'namespace')));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC_GROUP) errors.push(notSupported(child(path, 'apiGroup'), apiGroup, [RBAC_GROUP]));
  } else errors.push(notSupported(child(path, 'kind'), kind, ['ServiceAccount', 'User', 'Group']));
  return errors;
}
