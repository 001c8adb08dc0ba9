// What a requested service account token may ask for and what it is tied to: its account, and the pod, secret or node that it names.
import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import type { Node, Pod, Secret, ServiceAccount } from '#api/generated/core-v1.ts';
import { type ApiError, badRequest, conflict, invalid, notFound } from '#api/meta/errors.ts';
import { invalidValue } from '#api/meta/field-errors.ts';

type Maybe<T> = T | undefined | Promise<T | undefined>;

/** What a token may be bound to, as it stands now. Absence refuses: a server that lags behind should look again before it says so. */
export interface BoundObjects {
  serviceAccount(namespace: string, name: string): Maybe<ServiceAccount>;
  pod(namespace: string, name: string): Maybe<Pod>;
  secret(namespace: string, name: string): Maybe<Secret>;
  node(name: string): Maybe<Node>;
}

export interface Reference {
  name: string;
  uid: string;
}

/** The `kubernetes.io` claims. */
export interface Bindings {
  namespace?: string;
  serviceaccount?: Reference;
  pod?: Reference;
  secret?: Reference;
  node?: Reference;
  warnafter?: number;
}

type Spec = NonNullable<TokenRequest['spec']>;

export const defaultSeconds = 3600;
const minSeconds = 600;
const maxSeconds = 2 ** 32;

export function checkSpec(account: ServiceAccount, spec: Spec): void {
  const seconds = spec.expirationSeconds ?? defaultSeconds;
  const detail =
    seconds < minSeconds
      ? 'may not specify a duration less than 10 minutes'
      : seconds > maxSeconds
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (detail === undefined) return;
  const type = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
  throw invalid(type, account.metadata.name ?? '', [invalidValue('spec.expirationSeconds', seconds, detail)]);
}

export async function bindingsOf(account: ServiceAccount, spec: Spec, objects: BoundObjects): Promise<Bindings> {
  const { namespace = '', name = '', uid = '' } = account.metadata;
  const own: Bindings = { namespace, serviceaccount: { name, uid } };
  const wanted = spec.boundObjectRef;
  if (!wanted) return own;
  const ref = { namespace, name: wanted.name ?? '' };
  if (wanted.apiVersion === 'v1' && wanted.kind === 'Pod') {
    const pod = existing(await objects.pod(namespace, ref.name), 'pods', ref.name);
    if ((pod.spec?.serviceAccountName ?? '') !== name) {
      throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(name)} to pod running with different serviceaccount name.`);
    }
    const nodeName = pod.spec?.nodeName;
    const node = nodeName ? { node: { name: nodeName, uid: (await objects.node(nodeName))?.metadata.uid ?? '' } } : {};
    return { ...own, pod: referenceTo(pod, wanted), ...node };
  }
  if (wanted.apiVersion === 'v1' && wanted.kind === 'Node') {
    return { ...own, node: referenceTo(existing(await objects.node(ref.name), 'nodes', ref.name), wanted) };
  }
  if (wanted.apiVersion === 'v1' && wanted.kind === 'Secret') {
    return { ...own, secret: referenceTo(existing(await objects.secret(namespace, ref.name), 'secrets', ref.name), wanted) };
  }
  const [group, version] = wanted.apiVersion?.includes('/') ? wanted.apiVersion.split('/') : ['', wanted.apiVersion ?? ''];
  throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${wanted.kind ?? ''}`);
}

function existing<T>(object: T | undefined, plural: string, name: string): T {
  if (object === undefined) throw notFound({ group: '', plural }, name);
  return object;
}

function referenceTo(object: Pod | Node | Secret, wanted: NonNullable<Spec['boundObjectRef']>): Reference {
  const { name = '', uid = '' } = object.metadata;
  if (wanted.uid && wanted.uid !== uid) throw recreated(wanted.kind!, name, wanted.uid);
  return { name, uid };
}

function recreated(kind: string, name: string, uid: string): ApiError {
  const detail = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  return conflict({ group: '', plural: kind }, name, detail);
}
