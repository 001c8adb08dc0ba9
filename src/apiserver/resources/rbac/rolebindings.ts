// Role bindings: what a role allows, given to subjects within one namespace. The role it names never changes.
import type { RoleBinding } from '#api/generated/rbac-v1.ts';
import { rolebindings } from '#api/generated/resources.ts';
import { pathSegmentName } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { bindingColumns } from './binding-columns.ts';
import { setBindingDefaults, validateBinding, validateRoleRefUnchanged } from './rules.ts';

export const roleBindingRules: ResourceRules<RoleBinding> = {
  resource: rolebindings,
  setDefaults: setBindingDefaults,
  validate: (binding) => validateBinding(binding, ['Role', 'ClusterRole'], true),
  validateUpdate: validateRoleRefUnchanged,
  columns: bindingColumns,
  validateName: pathSegmentName,
};
