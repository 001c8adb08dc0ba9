// ServiceAccount: every pod runs as an account that exists, and finds the account's token where clients look for it.
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '#api/generated/core-v1.ts';
import { pods, serviceaccounts } from '#api/generated/resources.ts';
import { copyOf } from '#api/meta/object.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isFor, refuse } from './plugin.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';
const tokenMountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const tokenVolumePrefix = 'kube-api-access-';
/** Just above an hour, so that the issuer can tell such tokens from those asked for by hand. */
const tokenExpirationSeconds = 3_607;
/** A new namespace's account is created in the background: its first pod waits this long for it. */
const defaultAccountWaitMs = 1_000;

export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  operations: ['CREATE'],
  async mutate(request, context) {
    if (!isFor(request, pods)) return;
    const pod = request.object as Pod;
    const spec = pod.spec!;
    if (pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return refuseMirror(request, spec);
    spec.serviceAccountName ||= 'default';
    spec.serviceAccount = spec.serviceAccountName;
    const account = await findAccount(request, context, spec.serviceAccountName);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, context);
    if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) spec.imagePullSecrets = copyOf(account.imagePullSecrets);
  },
};

function refuseMirror(request: AdmissionRequest, spec: PodSpec): void {
  if (spec.serviceAccountName) throw refuse(request, 'a mirror pod may not reference service accounts');
  const projectsToken = spec.volumes?.some(({ projected }) =>
    projected?.sources?.some((source) => source.serviceAccountToken !== undefined),
  );
  if (projectsToken) throw refuse(request, 'a mirror pod may not use ServiceAccountToken volume projections');
}

async function findAccount(request: AdmissionRequest, { view }: AdmissionContext, name: string): Promise<ServiceAccount> {
  const ref = { namespace: request.namespace, name };
  const found =
    view.cached(serviceaccounts, ref) ??
    (name === 'default' ? await view.appears(serviceaccounts, ref, defaultAccountWaitMs) : await view.latest(serviceaccounts, ref));
  if (found !== undefined) return found;
  throw refuse(request, `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`);
}

function mountToken(spec: PodSpec, { random }: AdmissionContext): void {
  const present = spec.volumes?.find(({ name }) => name.startsWith(tokenVolumePrefix))?.name;
  const name = present ?? `${tokenVolumePrefix}${random.suffix(5)}`;
  const unmounted = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter((container) => !mountsToken(container));
  for (const container of unmounted) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenMountPath }];
  }
  if (present === undefined && unmounted.length > 0) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function mountsToken({ volumeMounts = [] }: Container): boolean {
  return volumeMounts.some(({ mountPath }) => mountPath === tokenMountPath);
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenExpirationSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
      defaultMode: 0o644,
    },
  };
}
