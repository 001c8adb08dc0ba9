// Security contexts of pods and containers: identifiers in range, profiles complete, nothing that contradicts itself.
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from '#api/generated/core-v1.ts';
import { type FieldError, child, duplicate, index, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { oneOf } from '../../one-of.ts';
import { descendingPathErrors } from './paths.ts';

const MAX_ID = 2_147_483_647;
const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;

export function validatePodSecurity(spec: PodSpec, specPath: string): FieldError[] {
  const path = child(specPath, 'securityContext');
  const errors = spec.hostNetwork ? validateHostPortsMatch(spec, specPath) : [];
  const context = spec.securityContext ?? {};
  errors.push(...validateId(context.fsGroup, child(path, 'fsGroup')));
  errors.push(...validateId(context.runAsUser, child(path, 'runAsUser')), ...validateId(context.runAsGroup, child(path, 'runAsGroup')));
  for (const [position, group] of (context.supplementalGroups ?? []).entries())
    errors.push(...validateId(group, index(child(path, 'supplementalGroups'), position)));
  if (spec.shareProcessNamespace && spec.hostPID)
    errors.push(invalidValue(child(path, 'shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  errors.push(...validateSysctls(spec, child(path, 'sysctls')));
  const policies = [
    ['fsGroupChangePolicy', ['Always', 'OnRootMismatch']],
    ['supplementalGroupsPolicy', ['Merge', 'Strict']],
  ] as const;
  for (const [field, supported] of policies)
    if (context[field] !== undefined) errors.push(...oneOf(context[field], supported, child(path, field)));
  errors.push(...validateSeccomp(context.seccompProfile, child(path, 'seccompProfile')));
  errors.push(...validateAppArmor(context.appArmorProfile, child(path, 'appArmorProfile')));
  return [...errors, ...validateHostUsers(spec, specPath)];
}

export function validateContainerSecurity(context: SecurityContext | undefined, hostUsers: boolean, path: string): FieldError[] {
  if (!context) return [];
  const errors = [...validateId(context.runAsUser, child(path, 'runAsUser')), ...validateId(context.runAsGroup, child(path, 'runAsGroup'))];
  if (context.procMount !== undefined) {
    const supported = ['Default', 'Unmasked'];
    if (!supported.includes(context.procMount)) errors.push(notSupported(child(path, 'procMount'), context.procMount, supported));
    else if (hostUsers && context.procMount === 'Unmasked')
      errors.push(invalidValue(child(path, 'procMount'), context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  errors.push(...validateSeccomp(context.seccompProfile, child(path, 'seccompProfile')));
  if (context.allowPrivilegeEscalation === false) {
    const text = 'cannot set `allowPrivilegeEscalation` to false and';
    if (context.privileged) errors.push(invalidValue(path, context, `${text} \`privileged\` to true`));
    for (const capability of context.capabilities?.add ?? [])
      if (capability === 'CAP_SYS_ADMIN') errors.push(invalidValue(path, context, `${text} \`capabilities.Add\` CAP_SYS_ADMIN`));
  }
  return [...errors, ...validateAppArmor(context.appArmorProfile, child(path, 'appArmorProfile'))];
}

/** On the host's network a container's port is the host's port. */
function validateHostPortsMatch({ containers = [] }: PodSpec, specPath: string): FieldError[] {
  return containers.flatMap(({ ports = [] }, position) =>
    ports.flatMap(({ containerPort, hostPort }, place) => {
      const path = child(index(child(index(child(specPath, 'containers'), position), 'ports'), place), 'containerPort');
      return hostPort === containerPort ? [] : [invalidValue(path, containerPort, 'must match `hostPort` when `hostNetwork` is true')];
    }),
  );
}

function validateHostUsers({ hostUsers, hostNetwork, hostPID, hostIPC }: PodSpec, specPath: string): FieldError[] {
  if (hostUsers !== false) return [];
  const shared = { hostNetwork, hostPID, hostIPC };
  return Object.entries(shared)
    .filter(([, value]) => value)
    .map(([field]) => notAllowed(child(specPath, field), 'when `hostUsers` is false'));
}

function validateSysctls({ securityContext, hostNetwork, hostIPC }: PodSpec, path: string): FieldError[] {
  const names = new Set<string>();
  return (securityContext?.sysctls ?? []).flatMap(({ name = '' }, position) => {
    const at = child(index(path, position), 'name');
    if (name === '') return [required(at)];
    const errors: FieldError[] = [];
    if (!SYSCTL.test(name) || name.length > 253)
      errors.push(invalidValue(at, name, `must have at most 253 characters and match regex ${SYSCTL.source.replace('\\/', '/')}`));
    if (names.has(name)) errors.push(duplicate(at, name));
    names.add(name);
    const dotted = name.replaceAll('/', '.');
    if (hostNetwork && dotted.startsWith('net.')) errors.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"));
    if (hostIPC && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(dotted))
      errors.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"));
    return errors;
  });
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  return validateProfile(profile, path, {
    whenMissing: 'type is required when seccompProfile is set',
    what: 'seccomp',
    local: (text) => descendingPathErrors(text, child(path, 'localhostProfile')),
  });
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (!profile) return [];
  const local = child(path, 'localhostProfile');
  return validateProfile(profile, path, {
    whenMissing: 'type is required when appArmorProfile is set',
    what: 'AppArmor',
    local: (text) =>
      text.trim() === ''
        ? [required(local, 'must be set when AppArmor type is Localhost')]
        : text === text.trim()
          ? []
          : [invalidValue(local, text, 'must not be padded with whitespace')],
  });
}

interface ProfileWords {
  whenMissing: string;
  what: string;
  local(profile: string): FieldError[];
}

function validateProfile({ type = '', localhostProfile }: SeccompProfile, path: string, words: ProfileWords): FieldError[] {
  const local = child(path, 'localhostProfile');
  if (type === 'Localhost')
    return localhostProfile === undefined
      ? [required(local, `must be set when ${words.what} type is Localhost`)]
      : words.local(localhostProfile);
  const errors: FieldError[] = [];
  if (localhostProfile !== undefined)
    errors.push(invalidValue(local, localhostProfile, `can only be set when ${words.what} type is Localhost`));
  const types = ['Localhost', 'RuntimeDefault', 'Unconfined'];
  if (type === '') errors.push(required(child(path, 'type'), words.whenMissing));
  else if (!types.includes(type)) errors.push(notSupported(child(path, 'type'), type, types));
  return errors;
}

function validateId(id: number | undefined, path: string): FieldError[] {
  return id !== undefined && (id < 0 || id > MAX_ID) ? [invalidValue(path, id, `must be between 0 and ${MAX_ID}, inclusive`)] : [];
}
