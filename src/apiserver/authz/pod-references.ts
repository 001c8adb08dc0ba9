// What a pod refers to by name in its own namespace: what its node may read on its behalf.
import type { Container, Pod, Volume } from '#api/generated/core-v1.ts';

export interface PodReferences {
  namespace: string;
  serviceAccount: string;
  secrets: Set<string>;
  configMaps: Set<string>;
  claims: Set<string>;
}

const mirrorAnnotation = 'kubernetes.io/config.mirror';

export function referencesOf(pod: Pod): PodReferences {
  const { namespace = '', name = '', annotations } = pod.metadata;
  const found: PodReferences = { namespace, serviceAccount: '', secrets: new Set(), configMaps: new Set(), claims: new Set() };
  // A kubelet makes mirror pods itself: they must not open secrets to it.
  if (!pod.spec || annotations?.[mirrorAnnotation] !== undefined) return found;
  const { spec } = pod;
  found.serviceAccount = spec.serviceAccountName ?? '';
  for (const secret of spec.imagePullSecrets ?? []) add(found.secrets, secret.name);
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])] as Container[];
  for (const container of containers) addContainer(found, container);
  for (const volume of spec.volumes ?? []) addVolume(found, volume, name);
  return found;
}

function addContainer(found: PodReferences, container: Container): void {
  for (const source of container.envFrom ?? []) {
    add(found.secrets, source.secretRef?.name);
    add(found.configMaps, source.configMapRef?.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    add(found.secrets, valueFrom?.secretKeyRef?.name);
    add(found.configMaps, valueFrom?.configMapKeyRef?.name);
  }
}

function addVolume(found: PodReferences, volume: Volume, pod: string): void {
  add(found.secrets, volume.secret?.secretName);
  add(found.configMaps, volume.configMap?.name);
  add(found.claims, volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral) add(found.claims, `${pod}-${volume.name}`);
  for (const source of volume.projected?.sources ?? []) {
    add(found.secrets, source.secret?.name);
    add(found.configMaps, source.configMap?.name);
  }
  add(found.secrets, volume.csi?.nodePublishSecretRef?.name);
  add(found.secrets, volume.azureFile?.secretName);
  for (const source of [volume.iscsi, volume.rbd, volume.cephfs, volume.flexVolume, volume.scaleIO, volume.storageos]) {
    add(found.secrets, source?.secretRef?.name);
  }
}

function add(set: Set<string>, name: string | undefined): void {
  if (name) set.add(name);
}
