// What a volume of a pod holds when its author said nothing.
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from '#api/generated/core-v1.ts';
import { setClaimSpecDefaults } from '../claim-defaults.ts';
import { defaultPullPolicy } from './pull-policy.ts';

const FILE_MODE = 0o644;

export function setVolumeDefaults(volume: Volume): void {
  // A volume without a source is an empty directory.
  if (Object.keys(volume).every((field) => field === 'name' || volume[field as keyof Volume] == null)) volume.emptyDir = {};
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE;
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE;
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    setFileDefaults(volume.downwardAPI.items);
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE;
    for (const source of volume.projected.sources ?? []) setProjectionDefaults(source);
  }
  if (volume.hostPath) volume.hostPath.type ??= '';
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? '');
  if (volume.ephemeral?.volumeClaimTemplate) setClaimSpecDefaults(volume.ephemeral.volumeClaimTemplate.spec);
  setDriverDefaults(volume);
}

function setProjectionDefaults(source: VolumeProjection): void {
  if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
  if (source.downwardAPI) setFileDefaults(source.downwardAPI.items);
}

function setFileDefaults(items: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of items ?? []) {
    if (fieldRef) fieldRef.apiVersion ||= 'v1';
    if (resourceFieldRef) resourceFieldRef.divisor ??= '0';
  }
}

function setDriverDefaults({ azureDisk, iscsi, rbd, scaleIO }: Volume): void {
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
    azureDisk.kind ??= 'Shared';
  }
  if (iscsi) iscsi.iscsiInterface ||= 'default';
  if (rbd) {
    rbd.pool ||= 'rbd';
    rbd.user ||= 'admin';
    rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned';
    scaleIO.fsType ||= 'xfs';
  }
}
