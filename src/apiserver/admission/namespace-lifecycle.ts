// NamespaceLifecycle: nothing is created in a namespace that is absent or going, and the namespaces that the system lives in stay.
import type { Namespace } from '#api/generated/core-v1.ts';
import { namespaces } from '#api/generated/resources.ts';
import { ApiError, notFound } from '#api/meta/errors.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isOf, refuse } from './plugin.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  operations: ['CREATE', 'DELETE'],
  // Refuses before anyone looks for what else is not there.
  mutate(request, { view }) {
    if (request.operation !== 'CREATE' || request.namespace === '' || isOf(request, namespaces) || isAccessReview(request))
      return undefined;
    const cached = view.cached(namespaces, { name: request.namespace });
    if (cached !== undefined) return checkActive(request, cached);
    return view.latest(namespaces, { name: request.namespace }).then((namespace) => {
      if (namespace === undefined) throw notFound(namespaces, request.namespace);
      checkActive(request, namespace);
    });
  },
  validate(request) {
    if (request.operation !== 'DELETE' || !isOf(request, namespaces)) return;
    if (immortal.has(request.name)) throw refuse(request, 'this namespace may not be deleted');
  },
};

function checkActive(request: AdmissionRequest, namespace: Namespace): void {
  if (namespace.status?.phase !== 'Terminating' && namespace.metadata.deletionTimestamp === undefined) return;
  const name = request.namespace;
  const { status } = refuse(request, `unable to create new content in namespace ${name} because it is being terminated`);
  const cause = { reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated`, field: 'metadata.namespace' };
  throw new ApiError({ ...status, details: { ...status.details, causes: [cause] } });
}

function isAccessReview({ resource }: AdmissionRequest): boolean {
  return resource.type.group === 'authorization.k8s.io';
}
