// Cluster role bindings: what a cluster role allows, given to subjects everywhere. The role it names never changes.
import type { ClusterRoleBinding } from '#api/generated/rbac-v1.ts';
import { clusterrolebindings } from '#api/generated/resources.ts';
import { pathSegmentName } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { bindingColumns } from './binding-columns.ts';
import { setBindingDefaults, validateBinding, validateRoleRefUnchanged } from './rules.ts';

export const clusterRoleBindingRules: ResourceRules<ClusterRoleBinding> = {
  resource: clusterrolebindings,
  setDefaults: setBindingDefaults,
  validate: (binding) => validateBinding(binding, ['ClusterRole'], false),
  validateUpdate: validateRoleRefUnchanged,
  columns: bindingColumns,
  validateName: pathSegmentName,
};
