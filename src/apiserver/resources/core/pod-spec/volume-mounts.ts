// Mounts and devices of a container: each names a volume of the pod and has a path of its own.
import type { Container, Volume, VolumeMount } from '#api/generated/core-v1.ts';
import { type FieldError, child, fieldNotFound, index, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { descendingPathErrors, noBackstepErrors } from './paths.ts';

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];

export function validateVolumeMounts(container: Container, volumes: readonly Volume[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  for (const [position, mount] of (container.volumeMounts ?? []).entries()) {
    const at = index(path, position);
    const { name = '', mountPath = '' } = mount;
    if (name === '') errors.push(required(child(at, 'name')));
    if (!volumes.some((volume) => volume.name === name)) errors.push(fieldNotFound(child(at, 'name'), name));
    if (mountPath === '') errors.push(required(child(at, 'mountPath')));
    if (paths.has(mountPath)) errors.push(invalidValue(child(at, 'mountPath'), mountPath, 'must be unique'));
    paths.add(mountPath);
    if (devices.some((device) => device.name === name))
      errors.push(invalidValue(child(at, 'name'), name, 'must not already exist in volumeDevices'));
    if (devices.some(({ devicePath }) => devicePath === mountPath))
      errors.push(invalidValue(child(at, 'mountPath'), mountPath, 'must not already exist as a path in volumeDevices'));
    errors.push(...validateSubPaths(mount, at), ...validatePropagation(mount, container, at), ...validateRecursiveReadOnly(mount, at));
  }
  return errors;
}

export function validateVolumeDevices(container: Container, volumes: readonly Volume[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [position, { name = '', devicePath = '' }] of (container.volumeDevices ?? []).entries()) {
    const at = index(path, position);
    if (name === '') errors.push(required(child(at, 'name')));
    if (names.has(name)) errors.push(invalidValue(child(at, 'name'), name, 'must be unique'));
    const volume = volumes.find((candidate) => candidate.name === name);
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral)
      errors.push(
        invalidValue(child(at, 'name'), name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'),
      );
    if (!volume) errors.push(fieldNotFound(child(at, 'name'), name));
    if (devicePath === '') errors.push(required(child(at, 'devicePath')));
    if (paths.has(devicePath)) errors.push(invalidValue(child(at, 'devicePath'), devicePath, 'must be unique'));
    errors.push(...noBackstepErrors(devicePath, child(at, 'devicePath')));
    names.add(name);
    paths.add(devicePath);
  }
  return errors;
}

function validateSubPaths({ subPath = '', subPathExpr = '' }: VolumeMount, path: string): FieldError[] {
  const errors = subPath === '' ? [] : descendingPathErrors(subPath, child(path, 'subPath'));
  if (subPathExpr === '') return errors;
  if (subPath !== '') errors.push(invalidValue(child(path, 'subPathExpr'), subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
  return [...errors, ...descendingPathErrors(subPathExpr, child(path, 'subPathExpr'))];
}

function validatePropagation({ mountPropagation }: VolumeMount, container: Container, path: string): FieldError[] {
  if (mountPropagation === undefined) return [];
  const at = child(path, 'mountPropagation');
  const errors = PROPAGATIONS.includes(mountPropagation) ? [] : [notSupported(at, mountPropagation, PROPAGATIONS)];
  if (mountPropagation === 'Bidirectional' && !container.securityContext?.privileged)
    errors.push(notAllowed(at, 'Bidirectional mount propagation is available only to privileged containers'));
  return errors;
}

function validateRecursiveReadOnly({ recursiveReadOnly, readOnly, mountPropagation }: VolumeMount, path: string): FieldError[] {
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return [];
  const at = child(path, 'recursiveReadOnly');
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible')
    return [notSupported(at, recursiveReadOnly, ['Disabled', 'IfPossible', 'Enabled'])];
  const errors = readOnly ? [] : [notAllowed(at, 'may only be specified when readOnly is true')];
  if (mountPropagation !== undefined && mountPropagation !== 'None')
    errors.push(notAllowed(at, 'may only be specified when mountPropagation is None or not specified'));
  return errors;
}
