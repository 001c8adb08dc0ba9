// Writes into every ClusterRole with an aggregationRule the rules of the roles that it gathers, again when one of them changes.
import type { ClusterRole } from '#api/generated/rbac-v1.ts';
import { clusterroles } from '#api/generated/resources.ts';
import { aggregatedRules } from '#api/rbac/aggregation.ts';
import type { Controller } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';

export const clusterRoleAggregation: Controller = {
  name: 'clusterrole-aggregation',
  serviceAccount: 'clusterrole-aggregation-controller',
  start(context) {
    const roles = context.informers.informer(clusterroles);
    const reconciler = startReconciler(context, {
      name: 'clusterrole-aggregation',
      waitFor: [roles],
      async reconcile(name) {
        const role = roles.get(name);
        if (role?.aggregationRule === undefined) return;
        const rules = aggregatedRules(role, roles.list());
        if (!saysTheSame(role.rules, rules)) await context.client.update(clusterroles, { ...role, rules });
      },
    });
    // Whatever role changes may be part of any gathering one; there are few of those.
    const enqueueGathering = (): void => {
      for (const role of roles.list()) if (role.aggregationRule !== undefined) reconciler.enqueue(role.metadata.name!);
    };
    const handlers = {
      added: enqueueGathering,
      updated: (old: ClusterRole, role: ClusterRole) => {
        if (old.metadata.resourceVersion !== role.metadata.resourceVersion) enqueueGathering();
      },
      deleted: enqueueGathering,
    };
    return stopTogether([roles.addHandlers(handlers)], [reconciler]);
  },
};
