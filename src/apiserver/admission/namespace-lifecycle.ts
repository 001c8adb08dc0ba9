// NamespaceLifecycle: nothing is created in a namespace that is absent or going, and the namespaces that the system lives in stay.
import { namespaces } from '#api/generated/resources.ts';
import { ApiError, notFound } from '#api/meta/errors.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { refuse } from './plugin.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  async validate(request, { view }) {
    if (isNamespace(request)) {
      if (request.operation === 'DELETE' && immortal.has(request.name)) throw refuse(request, 'this namespace may not be deleted');
      return;
    }
    if (request.operation !== 'CREATE' || request.namespace === '' || isAccessReview(request)) return;
    const namespace = view.cached(namespaces, { name: request.namespace }) ?? (await view.latest(namespaces, { name: request.namespace }));
    if (namespace === undefined) throw notFound(namespaces, request.namespace);
    if (namespace.status?.phase !== 'Terminating') return;
    const refusal = refuse(request, `unable to create new content in namespace ${request.namespace} because it is being terminated`);
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${request.namespace} is being terminated`,
      field: 'metadata.namespace',
    };
    throw new ApiError({ ...refusal.status, details: { ...refusal.status.details, causes: [cause] } });
  },
};

function isNamespace({ resource }: AdmissionRequest): boolean {
  return resource.type.group === '' && resource.type.plural === 'namespaces';
}

function isAccessReview({ resource }: AdmissionRequest): boolean {
  return resource.type.group === 'authorization.k8s.io';
}
