// The bootstrap roles and bindings in the form in which a server writes them at its start.
import { clusterrolebindings, clusterroles, rolebindings, roles } from '#api/generated/resources.ts';
import type { ResourceType } from '#api/meta/object.ts';
import type { BootstrapObject } from '../bootstrap.ts';
import { bootstrapObjects, reconcile } from './bootstrap.ts';

const types = { clusterroles, clusterrolebindings, roles, rolebindings };

export function rbacBootstrapObjects(): BootstrapObject[] {
  return bootstrapObjects().map(({ plural, object }) => ({
    type: types[plural] as ResourceType,
    object,
    mend: (existing) => reconcile(existing, object),
  }));
}
