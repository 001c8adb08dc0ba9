// Cluster roles: rules for everything, or an aggregation of other cluster roles.
import type { ClusterRole } from '#api/generated/rbac-v1.ts';
import { clusterroles } from '#api/generated/resources.ts';
import { type FieldError, index, required } from '#api/meta/field-errors.ts';
import { validateLabelSelector } from '../label-selector-validation.ts';
import { pathSegmentName } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { nameCell } from '../table-cells.ts';
import { validateRule } from './rules.ts';

export const clusterRoleRules: ResourceRules<ClusterRole> = {
  resource: clusterroles,
  validate: (role) => [
    ...(role.rules ?? []).flatMap((rule, position) => validateRule(rule, index('rules', position), false)),
    ...validateAggregation(role),
  ],
  columns: [nameCell, (role) => role.metadata.creationTimestamp ?? null],
  validateName: pathSegmentName,
};

function validateAggregation({ aggregationRule }: ClusterRole): FieldError[] {
  if (!aggregationRule) return [];
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) return [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, position) => validateLabelSelector(selector, index(path, position)));
}
