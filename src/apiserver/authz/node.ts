// The Node authorizer: a kubelet reads what the pods bound to its node refer to, and writes what is its own.
import type { AccessAttributes, AccessDecision, Authorizer, UserInfo } from '#api/meta/access.ts';
import type { PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import type { PolicyRule } from '#api/generated/rbac-v1.ts';
import { bootstrapRbac } from '#api/bootstrap-rbac.ts';
import { type PodReferences, referencesOf } from './pod-references.ts';
import { ruleAllows } from './rule-match.ts';

export interface NodeObjects {
  podsOnNode(nodeName: string): Iterable<Pod>;
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
}

const prefix = 'system:node:';

/** The node a user is, if it is one. */
export function nodeNameOf(user: UserInfo): string | undefined {
  return user.name.startsWith(prefix) && user.groups.includes('system:nodes') ? user.name.slice(prefix.length) : undefined;
}

export function createNodeAuthorizer(objects: NodeObjects): Authorizer {
  const rules = bootstrapRbac().clusterRoles.find((role) => role.metadata.name === 'system:node')?.rules ?? [];
  // Frozen pods are replaced, never changed: what one refers to is worked out once.
  const known = new WeakMap<Pod, PodReferences>();
  const references = (pod: Pod): PodReferences => {
    const found = known.get(pod) ?? referencesOf(pod);
    known.set(pod, found);
    return found;
  };
  return (attributes) => {
    const node = nodeNameOf(attributes.user);
    if (node === undefined) return none('');
    if (!attributes.isResourceRequest) return byRules(rules, attributes);
    const special = specialCases[`${attributes.group}/${attributes.resource}`];
    return special ? special({ node, attributes, objects, references, rules }) : byRules(rules, attributes);
  };
}

interface Question {
  node: string;
  attributes: AccessAttributes;
  objects: NodeObjects;
  references: (pod: Pod) => PodReferences;
  rules: readonly PolicyRule[];
}

const allow: AccessDecision = { decision: 'allow', reason: '' };
const none = (reason: string): AccessDecision => ({ decision: 'none', reason });

const specialCases: Readonly<Record<string, (question: Question) => AccessDecision>> = {
  '/secrets': (question) => readReferenced(question, 'secrets'),
  '/configmaps': (question) => readReferenced(question, 'configMaps'),
  '/persistentvolumeclaims': (question) => {
    const { subresource, verb } = question.attributes;
    if (subresource === 'status') {
      if (verb !== 'update' && verb !== 'patch') return none('can only update pvc status');
      return related(question, (pod) => pod.claims.has(question.attributes.name));
    }
    return getReferenced(question, (pod) => pod.claims.has(question.attributes.name));
  },
  '/persistentvolumes': (question) => {
    const { attributes, objects } = question;
    if (attributes.verb !== 'get') return none('can only get individual resources of this type');
    if (attributes.subresource !== '') return none('cannot get subresource');
    const usesVolume = (pod: PodReferences) =>
      [...pod.claims].some((claim) => objects.claim(pod.namespace, claim)?.spec?.volumeName === attributes.name);
    return related(question, usesVolume, true);
  },
  '/serviceaccounts': (question) => {
    const { subresource, verb, name } = question.attributes;
    if (subresource !== '' && subresource !== 'token') return none('only "token" subresource of serviceaccounts is allowed');
    if (subresource === 'token' && verb !== 'create') return none('only create of serviceaccount tokens is allowed');
    if (subresource === '') return getReferenced(question, (pod) => pod.serviceAccount === name);
    return related(question, (pod) => pod.serviceAccount === name);
  },
  '/nodes': ({ node, attributes, rules }) => {
    if (['get', 'update', 'patch', 'delete'].includes(attributes.verb) && attributes.name !== node) {
      return none(`node '${node}' cannot read '${attributes.name}', only its own Node object`);
    }
    return byRules(rules, attributes);
  },
  'coordination.k8s.io/leases': (question) => ownObject(question, 'kube-node-lease'),
  'storage.k8s.io/csinodes': (question) => ownObject(question, ''),
};

function byRules(rules: readonly PolicyRule[], attributes: AccessAttributes): AccessDecision {
  return rules.some((rule) => ruleAllows(rule, attributes)) ? allow : none('');
}

function readReferenced(question: Question, kind: 'secrets' | 'configMaps'): AccessDecision {
  const { verb, subresource, namespace, name } = question.attributes;
  if (!['get', 'list', 'watch'].includes(verb)) return none('can only read resources of this type');
  if (subresource !== '') return none('cannot read subresource');
  if (namespace === '') return none('can only read namespaced object of this type');
  // A list or watch of one object by its name carries that name.
  if (name === '') return none('No Object name found');
  return related(question, (pod) => pod[kind].has(name));
}

function getReferenced(question: Question, refersTo: (pod: PodReferences) => boolean): AccessDecision {
  if (question.attributes.verb !== 'get') return none('can only get individual resources of this type');
  if (question.attributes.subresource !== '') return none('cannot get subresource');
  return related(question, refersTo);
}

function related(question: Question, refersTo: (pod: PodReferences) => boolean, anyNamespace = false): AccessDecision {
  const { node, attributes, objects, references } = question;
  for (const pod of objects.podsOnNode(node)) {
    const found = references(pod);
    if ((anyNamespace || found.namespace === attributes.namespace) && refersTo(found)) return allow;
  }
  return none(`no relationship found between node '${node}' and this object`);
}

function ownObject({ node, attributes }: Question, namespace: string): AccessDecision {
  const { verb, name } = attributes;
  const kind = namespace === '' ? 'CSINode' : 'node lease';
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) {
    return none(`can only get, create, update, patch, or delete a ${kind}`);
  }
  if (attributes.namespace !== namespace) return none(`can only access leases in the "${namespace}" system namespace`);
  // The name of a new object is in its body: admission looks at it.
  if (name !== node && !(verb === 'create' && name === ''))
    return none(`can only access ${kind} with the same name as the requesting node`);
  return allow;
}
