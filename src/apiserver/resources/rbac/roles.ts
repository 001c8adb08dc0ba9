// Roles: rules for resources of one namespace.
import type { Role } from '#api/generated/rbac-v1.ts';
import { roles } from '#api/generated/resources.ts';
import { index } from '#api/meta/field-errors.ts';
import { pathSegmentName } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { nameCell } from '../table-cells.ts';
import { validateRule } from './rules.ts';

export const roleRules: ResourceRules<Role> = {
  resource: roles,
  validate: (role) => (role.rules ?? []).flatMap((rule, position) => validateRule(rule, index('rules', position), true)),
  columns: [nameCell, (role) => role.metadata.creationTimestamp ?? null],
  validateName: pathSegmentName,
};
