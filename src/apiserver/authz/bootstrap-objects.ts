// The bootstrap roles and bindings in the form in which a server writes them at its start.
import type { ClusterRole } from '#api/generated/rbac-v1.ts';
import { clusterrolebindings, clusterroles, rolebindings, roles } from '#api/generated/resources.ts';
import type { ResourceType } from '#api/meta/object.ts';
import type { BootstrapObject } from '../bootstrap.ts';
import { bootstrapObjects, reconcile } from './bootstrap.ts';

const types = { clusterroles, clusterrolebindings, roles, rolebindings };

/** `others` are written beside them: aggregated roles start with their rules, so that a new cluster's controller has nothing to add. */
export function rbacBootstrapObjects(others: readonly ClusterRole[] = []): BootstrapObject[] {
  return bootstrapObjects(others).map(({ plural, object }) => ({
    type: types[plural] as ResourceType,
    object,
    mend: (existing) => reconcile(existing, object),
  }));
}
