// Brings a pod's volumes into its directory on the node, keeps those made of API objects current, and takes them away at the end.
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Pod, Volume } from '#api/generated/core-v1.ts';
import { persistentvolumeclaims, persistentvolumes } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import type { KubeletContext } from '../context.ts';
import { podDirectory } from '../directories.ts';
import { logDirectoryName } from '../identity.ts';
import type { ObjectReference } from '../object-source.ts';
import { writeAtomically } from './atomic-writer.ts';
import { hostPath } from './host-path.ts';
import { MountError } from './mount-error.ts';
import { volumePayload } from './payload.ts';
import { createTokenSource } from './service-account-token.ts';

/** Directories or files on the node, by volume name. */
export type MountedVolumes = ReadonlyMap<string, string>;

export interface VolumeManager {
  /** Idempotent: also brings changed contents. Throws MountError. `changed` is called when an object behind a volume changes. */
  mount(pod: Pod, podIps: readonly string[], changed: () => void): Promise<MountedVolumes>;
  /** When the contents want to be brought up to date by themselves: tokens. */
  refreshAtMs(podUid: string): number | undefined;
  /** Containers must be gone. */
  unmount(podUid: string): Promise<void>;
  /** Also drops the pod's directory and logs. */
  remove(pod: { namespace: string; name: string; uid: string }): Promise<void>;
}

export function createVolumeManager(context: KubeletContext): VolumeManager {
  const { runtime, objects, directories, random } = context;
  const tokens = createTokenSource(context);

  const mountOne = async (pod: Pod, volume: Volume, podIps: readonly string[]): Promise<string | undefined> => {
    if (runtime.withoutFiles) {
      await checkReferences(pod, volume, context);
      return undefined;
    }
    const directory = path.join(podDirectory(context, pod.metadata.uid!), 'volumes', pluginOf(volume), volume.name);
    if (volume.hostPath !== undefined) return hostPath(volume.hostPath);
    if (volume.persistentVolumeClaim !== undefined) return claimPath(pod, volume.persistentVolumeClaim.claimName, context);
    if (volume.emptyDir !== undefined) {
      // A memory-backed emptyDir is a plain directory too: this node does not mount file systems.
      await mkdir(directory, { recursive: true });
      await share(directory, pod);
      return directory;
    }
    const files = await volumePayload(pod, volume, { ...context, podIps, tokens });
    if (files === undefined)
      throw new MountError(`no volume plugin matched: ${pluginOf(volume)} volumes are not supported by this kubelet`);
    await writeAtomically(directory, files, random.suffix(12), pod.spec.securityContext?.fsGroup);
    return directory;
  };

  return {
    async mount(pod, podIps, changed) {
      const mounted = new Map<string, string>();
      const volumes = pod.spec.volumes ?? [];
      if (!runtime.withoutFiles) {
        await mkdir(podDirectory(context, pod.metadata.uid!), { recursive: true, mode: 0o750 });
        const references = volumes.flatMap((volume) => referencesOf(pod, volume));
        objects.hold(pod.metadata.uid!, references, changed);
      }
      for (const volume of volumes) {
        try {
          const place = await mountOne(pod, volume, podIps);
          if (place !== undefined) mounted.set(volume.name, place);
        } catch (error) {
          const detail = error instanceof Error ? error.message : String(error);
          throw new MountError(`MountVolume.SetUp failed for volume "${volume.name}" : ${detail}`, { cause: error });
        }
      }
      return mounted;
    },
    refreshAtMs: (podUid) => tokens.renewAtMs(podUid),
    async unmount(podUid) {
      objects.release(podUid);
      tokens.forget(podUid);
      if (!runtime.withoutFiles) await rm(path.join(podDirectory(context, podUid), 'volumes'), { recursive: true, force: true });
    },
    async remove(pod) {
      if (runtime.withoutFiles) return;
      await rm(podDirectory(context, pod.uid), { recursive: true, force: true });
      await rm(path.join(directories.logs, logDirectoryName(pod)), { recursive: true, force: true });
    },
  };
}

function pluginOf(volume: Volume): string {
  const kind = Object.keys(volume).find((field) => field !== 'name') ?? 'emptyDir';
  return `kubernetes.io~${kind.replace(/[A-Z]+/g, (upper) => `-${upper.toLowerCase()}`)}`;
}

async function share(directory: string, pod: Pod): Promise<void> {
  const group = pod.spec.securityContext?.fsGroup;
  if (group === undefined) return chmod(directory, 0o777);
  await chown(directory, -1, group);
  await chmod(directory, 0o2777);
}

/** Where the claim's volume lies on this node: local and hostPath volumes. */
async function claimPath(pod: Pod, claimName: string, { client }: KubeletContext): Promise<string> {
  const claim = await client
    .get(persistentvolumeclaims, { namespace: pod.metadata.namespace!, name: claimName })
    .catch((error: unknown) => {
      throw isNotFound(error) ? new MountError(`persistentvolumeclaim "${claimName}" not found`) : error;
    });
  const name = claim.spec.volumeName;
  if (!name || claim.status?.phase !== 'Bound') throw new MountError(`PVC ${pod.metadata.namespace}/${claimName} is not bound`);
  const { spec } = await client.get(persistentvolumes, { name });
  if (spec.claimRef?.uid !== undefined && spec.claimRef.uid !== claim.metadata.uid) {
    throw new MountError(`PVC ${pod.metadata.namespace}/${claimName}'s PV ${name} is bound to a different claim`);
  }
  if (spec.local !== undefined) return hostPath({ path: spec.local.path, type: 'DirectoryOrCreate' });
  if (spec.hostPath !== undefined) return hostPath(spec.hostPath);
  throw new MountError(`volume ${name}: only local and hostPath persistent volumes are supported by this kubelet`);
}

/** The config maps and secrets whose changes a volume shows. */
function referencesOf(pod: Pod, volume: Volume): ObjectReference[] {
  const namespace = pod.metadata.namespace!;
  const found: ObjectReference[] = [];
  const add = (kind: ObjectReference['kind'], name: string | undefined) => name && found.push({ kind, namespace, name });
  add('ConfigMap', volume.configMap?.name);
  add('Secret', volume.secret?.secretName);
  for (const source of volume.projected?.sources ?? []) {
    add('ConfigMap', source.configMap?.name);
    add('Secret', source.secret?.name);
  }
  return found;
}

/** Where no file is written, at least what a volume refers to must exist. */
async function checkReferences(pod: Pod, volume: Volume, { objects }: KubeletContext): Promise<void> {
  const namespace = pod.metadata.namespace!;
  const need = async (kind: ObjectReference['kind'], name: string | undefined, optional: boolean | undefined): Promise<void> => {
    if (!name || optional) return;
    const object = kind === 'Secret' ? await objects.secret(namespace, name) : await objects.configMap(namespace, name);
    if (object === undefined) throw new MountError(`${kind.toLowerCase()} "${name}" not found`);
  };
  await need('ConfigMap', volume.configMap?.name, volume.configMap?.optional);
  await need('Secret', volume.secret?.secretName, volume.secret?.optional);
  for (const source of volume.projected?.sources ?? []) {
    await need('ConfigMap', source.configMap?.name, source.configMap?.optional);
    await need('Secret', source.secret?.name, source.secret?.optional);
  }
}
