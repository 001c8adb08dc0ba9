// NodeRestriction: a kubelet writes its own node, its own lease and the pods bound to it, and nothing of its neighbours.
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import { leases, nodes, pods, serviceaccounts } from '#api/generated/resources.ts';
import { isEqual } from '#api/meta/meta-validation.ts';
import { nodeNameOf } from '../authz/node.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isOf, refuse } from './plugin.ts';

const leaseNamespace = 'kube-node-lease';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
/** Labels under these domains steer workloads: a node must not draw them to itself. */
const restrictedDomains = ['kubernetes.io', 'k8s.io'];
const kubeletDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  validate(request, context) {
    const node = nodeNameOf(request.user);
    if (node === undefined) return undefined;
    if (isOf(request, pods)) return checkPod(request, node, context);
    if (isOf(request, nodes)) return checkNode(request, node);
    if (isOf(request, leases)) return checkLease(request, node);
    if (isOf(request, serviceaccounts) && request.subresource === 'token') return checkToken(request, node, context);
    return undefined;
  },
};

function checkPod(request: AdmissionRequest, node: string, { view }: AdmissionContext): void {
  const who = `node ${JSON.stringify(node)}`;
  if (request.subresource === 'eviction') {
    const pod = view.cached(pods, { namespace: request.namespace, name: request.name });
    if (pod !== undefined && pod.spec?.nodeName !== node)
      throw refuse(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
    return;
  }
  if (request.operation === 'CREATE') return checkMirrorPod(request, node);
  const old = request.old as Pod;
  if (request.operation === 'DELETE') {
    if (old.spec?.nodeName !== node) throw refuse(request, `${who} can only delete pods with spec.nodeName set to itself`);
    return;
  }
  if (request.subresource !== 'status')
    throw refuse(
      request,
      `unexpected operation ${JSON.stringify(request.operation)}, node ${JSON.stringify(node)} can only create and delete mirror pods`,
    );
  if (old.spec?.nodeName !== node) throw refuse(request, `${who} can only update pod status for pods with spec.nodeName set to itself`);
  if (!isEqual(request.object!.metadata.labels, old.metadata.labels))
    throw refuse(request, `${who} cannot update labels through pod status`);
}

function checkMirrorPod(request: AdmissionRequest, node: string): void {
  const pod = request.object as Pod;
  const who = `node ${JSON.stringify(node)}`;
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) {
    throw refuse(request, `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, ${who} can only create mirror pods`);
  }
  if (pod.spec?.nodeName !== node) throw refuse(request, `${who} can only create pods with spec.nodeName set to itself`);
  if (pod.spec.serviceAccountName) throw refuse(request, `${who} can not create pods that reference a service account`);
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.secret) throw refuse(request, `${who} can not create pods that reference secrets`);
    if (volume.configMap) throw refuse(request, `${who} can not create pods that reference configmaps`);
    if (volume.persistentVolumeClaim) throw refuse(request, `${who} can not create pods that reference persistentvolumeclaims`);
  }
}

function checkNode(request: AdmissionRequest, node: string): void {
  const who = `node ${JSON.stringify(node)}`;
  const name = request.name || request.object?.metadata.name;
  if (name !== node) throw refuse(request, `${who} is not allowed to modify node ${JSON.stringify(name)}`);
  if (request.operation === 'DELETE') return;
  const [object, old] = [request.object as Node, request.old as Node | undefined];
  const labels = forbiddenLabels(object.metadata.labels ?? {}, old?.metadata.labels ?? {});
  if (request.operation === 'CREATE') {
    if (labels.length > 0) throw refuse(request, `${who} is not allowed to set the following labels: ${labels.join(', ')}`);
    return;
  }
  if (!isEqual(object.spec?.taints, old?.spec?.taints)) throw refuse(request, `${who} is not allowed to modify taints`);
  if (labels.length > 0) throw refuse(request, `is not allowed to modify labels: ${labels.join(', ')}`);
  if (!isEqual(object.metadata.ownerReferences, old?.metadata.ownerReferences)) {
    throw refuse(request, `${who} is not allowed to modify ownerReferences`);
  }
}

/** Changed labels that a kubelet does not own. */
function forbiddenLabels(labels: Readonly<Record<string, string>>, old: Readonly<Record<string, string>>): string[] {
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(old)])].filter((key) => labels[key] !== old[key]);
  return changed.filter((key) => isRestricted(key)).sort();
}

function isRestricted(key: string): boolean {
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const isUnder = (parents: readonly string[]) => parents.some((parent) => domain === parent || domain.endsWith(`.${parent}`));
  if (isUnder(['node-restriction.kubernetes.io'])) return true;
  return isUnder(restrictedDomains) && !isUnder(kubeletDomains) && !kubeletLabels.has(key);
}

function checkLease(request: AdmissionRequest, node: string): void {
  if (request.namespace !== leaseNamespace) {
    throw refuse(request, `can only access leases in the ${JSON.stringify(leaseNamespace)} system namespace`);
  }
  const name = request.name || request.object?.metadata.name;
  if (name !== node) throw refuse(request, 'can only access node lease with the same name as the requesting node');
}

async function checkToken(request: AdmissionRequest, node: string, { view }: AdmissionContext): Promise<void> {
  const ref = (request.object as unknown as TokenRequest).spec?.boundObjectRef;
  if (ref?.kind !== 'Pod' || ref.apiVersion !== 'v1' || !ref.name) throw refuse(request, 'node requested token not bound to a pod');
  if (!ref.uid) throw refuse(request, 'node requested token with a pod binding without a uid');
  const pod = await view.latest(pods, { namespace: request.namespace, name: ref.name });
  if (pod === undefined) throw refuse(request, `pod ${JSON.stringify(ref.name)} not found`);
  if (pod.metadata.uid !== ref.uid) {
    throw refuse(
      request,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  if (pod.spec?.nodeName !== node) throw refuse(request, 'node requested token bound to a pod scheduled on a different node');
}
