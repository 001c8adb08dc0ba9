// The volumes of a pod: a name each, exactly one source, and the fields that the source cannot do without.
import type { Volume } from '#api/generated/core-v1.ts';
import { type FieldError, child, duplicate, index, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { isDns1123Label } from '#api/meta/names.ts';
import { isNegativeQuantity, tryParseQuantity } from '#api/meta/quantity.ts';
import { validateClaimSpec } from '../claim-validation.ts';
import { noBackstepErrors } from './paths.ts';
import { validateConfigMapSource, validateDownwardSource, validateProjectedSource, validateSecretSource } from './volume-files.ts';

/** In the order in which upstream looks at them: of two sources the later one is refused. */
const SOURCES = [
  'emptyDir', 'hostPath', 'gitRepo', 'gcePersistentDisk', 'awsElasticBlockStore', 'secret', 'nfs', 'iscsi', 'glusterfs', 'flocker',
  'persistentVolumeClaim', 'rbd', 'cinder', 'cephfs', 'quobyte', 'downwardAPI', 'fc', 'flexVolume', 'configMap', 'azureFile',
  'vsphereVolume', 'photonPersistentDisk', 'portworxVolume', 'azureDisk', 'storageos', 'projected', 'scaleIO', 'csi', 'ephemeral', 'image',
] as const; // biome-ignore format: a list to read as lines

type Source = (typeof SOURCES)[number];

const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

/** What sources cannot do without, where that is all there is to check. */
const REQUIRED_FIELDS: Partial<Record<Source, readonly string[]>> = {
  awsElasticBlockStore: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  azureFile: ['secretName', 'shareName'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  csi: ['driver'],
  flexVolume: ['driver'],
  gcePersistentDisk: ['pdName'],
  gitRepo: ['repository'],
  glusterfs: ['endpoints', 'path'],
  image: ['reference'],
  iscsi: ['targetPortal', 'iqn'],
  persistentVolumeClaim: ['claimName'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  quobyte: ['registry', 'volume'],
  rbd: ['monitors', 'image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  storageos: ['volumeName'],
  vsphereVolume: ['volumePath'],
};

export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [position, volume] of volumes.entries()) {
    const at = index(path, position);
    const { name = '' } = volume;
    errors.push(...validateSource(volume, at));
    if (name === '') errors.push(required(child(at, 'name')));
    else errors.push(...isDns1123Label(name).map((message) => invalidValue(child(at, 'name'), name, message)));
    if (names.has(name)) errors.push(duplicate(child(at, 'name'), name));
    names.add(name);
  }
  return errors;
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const given = SOURCES.filter((source) => volume[source] !== undefined);
  if (given.length === 0) return [required(path, 'must specify a volume type')];
  const [first, ...others] = given;
  return [
    ...validateFields(volume, first!, child(path, first!)),
    ...others.map((source) => notAllowed(child(path, source), 'may not specify more than 1 volume type')),
  ];
}

function validateFields(volume: Volume, source: Source, path: string): FieldError[] {
  switch (source) {
    case 'emptyDir': {
      const limit = volume.emptyDir?.sizeLimit;
      const parsed = limit === undefined ? undefined : tryParseQuantity(limit);
      const wrong = parsed !== undefined && isNegativeQuantity(parsed);
      return wrong ? [notAllowed(child(path, 'sizeLimit'), 'SizeLimit field must be a valid resource quantity')] : [];
    }
    case 'hostPath':
      return validateHostPath(volume.hostPath!, path);
    case 'secret':
      return validateSecretSource(volume.secret!, path);
    case 'configMap':
      return validateConfigMapSource(volume.configMap!, path);
    case 'downwardAPI':
      return validateDownwardSource(volume.downwardAPI!, path);
    case 'projected':
      return validateProjectedSource(volume.projected!, path);
    case 'nfs':
      return validateNfs(volume.nfs!, path);
    case 'ephemeral': {
      const template = volume.ephemeral?.volumeClaimTemplate;
      return template
        ? validateClaimSpec(template.spec ?? {}, child(path, 'volumeClaimTemplate', 'spec'))
        : [required(child(path, 'volumeClaimTemplate'))];
    }
    default:
      return missingFields(volume[source], REQUIRED_FIELDS[source] ?? [], path);
  }
}

function validateHostPath({ path: hostPath = '', type }: NonNullable<Volume['hostPath']>, path: string): FieldError[] {
  const errors = hostPath === '' ? [required(child(path, 'path'))] : noBackstepErrors(hostPath, child(path, 'path'));
  if (type !== undefined && !HOST_PATH_TYPES.includes(type)) errors.push(notSupported(child(path, 'type'), type, HOST_PATH_TYPES));
  return errors;
}

export function validateNfs({ server, path: remote }: { server?: string; path?: string }, path: string): FieldError[] {
  const errors = server ? [] : [required(child(path, 'server'))];
  if (!remote) errors.push(required(child(path, 'path')));
  else if (!remote.startsWith('/')) errors.push(invalidValue(child(path, 'path'), remote, 'must be an absolute path'));
  return errors;
}

export function missingFields(source: object | undefined, fields: readonly string[], path: string): FieldError[] {
  const values = (source ?? {}) as Record<string, unknown>;
  return fields
    .filter((field) => !values[field] || (Array.isArray(values[field]) && values[field].length === 0))
    .map((field) => required(child(path, field)));
}
