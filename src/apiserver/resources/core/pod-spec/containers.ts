// Which containers and init containers are well-formed.
import type { Container, Volume } from '#api/generated/core-v1.ts';
import { type FieldError, child, duplicate, index, invalidValue, notAllowed, required } from '#api/meta/field-errors.ts';
import { isDns1123Label } from '#api/meta/names.ts';
import { oneOf } from '../../one-of.ts';
import { validateContainerPorts, validateHostPortConflicts } from './container-ports.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { validateLifecycle, validateLivenessProbe, validateReadinessProbe } from './probes.ts';
import { validateContainerResources } from './resources.ts';
import { validateContainerSecurity } from './security.ts';
import { validateVolumeDevices, validateVolumeMounts } from './volume-mounts.ts';

export interface ContainerContext {
  volumes: readonly Volume[];
  graceSeconds: number;
  hostUsers: boolean;
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const MESSAGE_POLICIES = ['FallbackToLogsOnError', 'File'];
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];

export function validateContainers(containers: readonly Container[], context: ContainerContext, path: string): FieldError[] {
  if (containers.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [position, container] of containers.entries()) {
    const at = index(path, position);
    errors.push(...validateCommon(container, context, at));
    if (names.has(container.name)) errors.push(duplicate(child(at, 'name'), container.name));
    names.add(container.name);
    errors.push(...validateLongRunning(container, context, at));
    if (container.restartPolicy !== undefined) errors.push(...oneOf(container.restartPolicy, RESTART_POLICIES, child(at, 'restartPolicy')));
  }
  return [...errors, ...validateHostPortConflicts(containers, path)];
}

export function validateInitContainers(
  initContainers: readonly Container[],
  containers: readonly Container[],
  context: ContainerContext,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set(containers.map(({ name }) => name));
  for (const [position, container] of initContainers.entries()) {
    const at = index(path, position);
    errors.push(...validateCommon(container, context, at));
    if (container.name) {
      if (names.has(container.name)) errors.push(duplicate(child(at, 'name'), container.name));
      names.add(container.name);
    }
    errors.push(...validateHostPortConflicts([container], path));
    if (container.restartPolicy === 'Always') errors.push(...validateLongRunning(container, context, at));
    else errors.push(...refuseLongRunning(container, at));
    if (container.restartPolicy !== undefined) errors.push(...oneOf(container.restartPolicy, RESTART_POLICIES, child(at, 'restartPolicy')));
  }
  return errors;
}

function validateCommon(container: Container, context: ContainerContext, path: string): FieldError[] {
  const at = (field: string) => child(path, field);
  return [
    ...(container.name
      ? isDns1123Label(container.name).map((message) => invalidValue(at('name'), container.name, message))
      : [required(at('name'))]),
    ...validateImage(container.image ?? '', at('image')),
    ...oneOf(container.terminationMessagePolicy, MESSAGE_POLICIES, at('terminationMessagePolicy')),
    ...validateContainerPorts(container.ports ?? [], at('ports')),
    ...validateEnv(container.env ?? [], at('env')),
    ...validateEnvFrom(container.envFrom ?? [], at('envFrom')),
    ...validateVolumeMounts(container, context.volumes, at('volumeMounts')),
    ...validateVolumeDevices(container, context.volumes, at('volumeDevices')),
    ...oneOf(container.imagePullPolicy, PULL_POLICIES, at('imagePullPolicy')),
    ...validateContainerResources(container.resources, at('resources')),
    ...validateContainerSecurity(container.securityContext, context.hostUsers, at('securityContext')),
  ];
}

function validateImage(image: string, path: string): FieldError[] {
  if (image === '') return [required(path)];
  return image === image.trim() ? [] : [invalidValue(path, image, 'must not have leading or trailing whitespace')];
}

/** What only containers have that are there to stay: ordinary ones and sidecars. */
function validateLongRunning(container: Container, { graceSeconds }: ContainerContext, path: string): FieldError[] {
  return [
    ...validateLifecycle(container.lifecycle, graceSeconds, child(path, 'lifecycle')),
    ...validateLivenessProbe(container.livenessProbe, child(path, 'livenessProbe')),
    ...validateReadinessProbe(container.readinessProbe, child(path, 'readinessProbe')),
    ...validateLivenessProbe(container.startupProbe, child(path, 'startupProbe')),
  ];
}

function refuseLongRunning(container: Container, path: string): FieldError[] {
  return (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    .filter((field) => container[field] !== undefined)
    .map((field) => notAllowed(child(path, field), 'may not be set for init containers without restartPolicy=Always'));
}
