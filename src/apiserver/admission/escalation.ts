// RBAC escalation: whoever writes a role or a binding must have what it grants.
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '#api/generated/rbac-v1.ts';
import { isEqual } from '#api/meta/meta-validation.ts';
import type { EscalationGuard } from '../authz/escalation.ts';
import type { AdmissionPlugin } from './plugin.ts';

export function escalation(guard: EscalationGuard): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    operations: ['CREATE', 'UPDATE'],
    validate({ resource, object, old, user }) {
      if (resource.type.group !== 'rbac.authorization.k8s.io') return;
      const { plural } = resource.type;
      if (plural === 'roles' || plural === 'clusterroles') {
        const [role, before] = [object as ClusterRole | Role, old as ClusterRole | undefined];
        const unchanged =
          before && isEqual(before.rules, role.rules) && isEqual(before.aggregationRule, (role as ClusterRole).aggregationRule);
        if (!unchanged) guard.checkRole(user, role, plural);
      } else if (plural === 'rolebindings' || plural === 'clusterrolebindings') {
        const [binding, before] = [object as RoleBinding | ClusterRoleBinding, old as RoleBinding | undefined];
        const unchanged = before && isEqual(before.subjects, binding.subjects) && isEqual(before.roleRef, binding.roleRef);
        if (!unchanged) guard.checkBinding(user, binding, plural);
      }
    },
  };
}
