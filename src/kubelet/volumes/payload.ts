// The files of volumes that are made of API objects: configMap, secret, downwardAPI, service account tokens and projections of them.
import type { DownwardAPIVolumeFile, KeyToPath, Pod, Volume, VolumeProjection } from '#api/generated/core-v1.ts';
import type { KubeletContext } from '../context.ts';
import { fieldValue, resourceValue } from '../downward.ts';
import type { VolumeFile } from './atomic-writer.ts';
import { MountError } from './mount-error.ts';
import type { TokenSource } from './service-account-token.ts';

export interface PayloadSources extends Pick<KubeletContext, 'objects' | 'node' | 'hostIps'> {
  podIps: readonly string[];
  tokens: TokenSource;
}

const defaultMode = 0o644;

/** Undefined for volumes that are not made of files. */
export async function volumePayload(pod: Pod, volume: Volume, sources: PayloadSources): Promise<Map<string, VolumeFile> | undefined> {
  const files = new Map<string, VolumeFile>();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) await addConfigMap(files, pod, configMap, configMap.defaultMode ?? defaultMode, sources);
  else if (secret !== undefined)
    await addSecret(files, pod, { ...secret, name: secret.secretName }, secret.defaultMode ?? defaultMode, sources);
  else if (downwardAPI !== undefined) addDownward(files, pod, downwardAPI.items ?? [], downwardAPI.defaultMode ?? defaultMode, sources);
  else if (projected !== undefined) {
    for (const source of projected.sources ?? []) await addProjection(files, pod, source, projected.defaultMode ?? defaultMode, sources);
  } else return undefined;
  return files;
}

async function addProjection(
  files: Map<string, VolumeFile>,
  pod: Pod,
  source: VolumeProjection,
  mode: number,
  sources: PayloadSources,
): Promise<void> {
  if (source.configMap !== undefined) await addConfigMap(files, pod, source.configMap, mode, sources);
  if (source.secret !== undefined) await addSecret(files, pod, source.secret, mode, sources);
  if (source.downwardAPI !== undefined) addDownward(files, pod, source.downwardAPI.items ?? [], mode, sources);
  if (source.serviceAccountToken !== undefined) {
    const token = await sources.tokens.token(pod, source.serviceAccountToken);
    // A token is its owner's alone, unless the pod shares its files with a group.
    const tokenMode = pod.spec.securityContext?.fsGroup === undefined ? mode : 0o640;
    files.set(source.serviceAccountToken.path, { data: Buffer.from(token), mode: tokenMode });
  }
  if (source.clusterTrustBundle !== undefined || source.podCertificate !== undefined) {
    throw new MountError('cluster trust bundles and pod certificates are not supported by this kubelet');
  }
}

type Reference = { name?: string; items?: KeyToPath[]; optional?: boolean };

async function addConfigMap(
  files: Map<string, VolumeFile>,
  pod: Pod,
  reference: Reference,
  mode: number,
  { objects }: PayloadSources,
): Promise<void> {
  const object = await objects.configMap(pod.metadata.namespace!, reference.name ?? '');
  const data = object && new Map([...decoded(object.data, 'utf8'), ...decoded(object.binaryData, 'base64')]);
  addObject(files, 'configmap', data, reference, mode);
}

async function addSecret(
  files: Map<string, VolumeFile>,
  pod: Pod,
  reference: Reference,
  mode: number,
  { objects }: PayloadSources,
): Promise<void> {
  const object = await objects.secret(pod.metadata.namespace!, reference.name ?? '');
  addObject(files, 'secret', object && new Map(decoded(object.data, 'base64')), reference, mode);
}

function decoded(data: Readonly<Record<string, string>> | undefined, encoding: 'utf8' | 'base64'): [string, Buffer][] {
  return Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]);
}

function addObject(
  files: Map<string, VolumeFile>,
  kind: 'configmap' | 'secret',
  data: ReadonlyMap<string, Buffer> | undefined,
  { name = '', items, optional = false }: Reference,
  mode: number,
): void {
  if (data !== undefined) addKeys(files, data, items, mode, optional);
  else if (!optional) throw new MountError(`${kind} "${name}" not found`);
}

function addKeys(
  files: Map<string, VolumeFile>,
  data: ReadonlyMap<string, Buffer>,
  items: KeyToPath[] | undefined,
  mode: number,
  optional: boolean,
): void {
  if (items === undefined || items.length === 0) {
    for (const [key, value] of data) files.set(key, { data: value, mode });
    return;
  }
  for (const item of items) {
    const value = data.get(item.key);
    if (value !== undefined) files.set(item.path, { data: value, mode: item.mode ?? mode });
    else if (!optional) throw new MountError(`references non-existent config key: ${item.key}`);
  }
}

function addDownward(
  files: Map<string, VolumeFile>,
  pod: Pod,
  items: DownwardAPIVolumeFile[],
  mode: number,
  sources: PayloadSources,
): void {
  for (const item of items) {
    const value =
      item.fieldRef !== undefined
        ? fieldValue(pod, item.fieldRef.fieldPath, sources)
        : resourceValue(pod, pod.spec.containers[0]!, item.resourceFieldRef!, sources.node().status?.allocatable ?? {});
    files.set(item.path, { data: Buffer.from(value ?? ''), mode: item.mode ?? mode });
  }
}
