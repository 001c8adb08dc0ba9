// Security contexts of pod and container, merged into what the runtime applies.
import type { Container, Pod } from '#api/generated/core-v1.ts';
import { ConfigError } from './env.ts';
import { podText } from './plan.ts';
import type { ImageUser, SecurityOptions } from './runtime/runtime.ts';

export function sandboxSecurity(pod: Pod): SecurityOptions {
  const context = pod.spec.securityContext;
  const groups = supplementalGroups(pod);
  return {
    ...(context?.runAsUser !== undefined && { runAsUser: context.runAsUser }),
    ...(context?.runAsGroup !== undefined && { runAsGroup: context.runAsGroup }),
    ...(groups.length > 0 && { supplementalGroups: groups }),
    privileged: [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some(
      (container) => container.securityContext?.privileged === true,
    ),
  };
}

/** Throws ConfigError where the pod forbids root and yet it or the image asks for it. */
export function checkNonRoot(pod: Pod, container: Container, imageUser: ImageUser | undefined): void {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  if (!(own.runAsNonRoot ?? shared.runAsNonRoot)) return;
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const place = `(pod: "${podText(pod)}", container: ${container.name})`;
  if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${place}`);
  if (runAsUser !== undefined || imageUser === undefined) return;
  if (imageUser.uid === 0) throw new ConfigError(`container has runAsNonRoot and image will run as root ${place}`);
  if (imageUser.username !== undefined) {
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${imageUser.username}), cannot verify user is non-root ${place}`,
    );
  }
}

export function containerSecurity(pod: Pod, container: Container): SecurityOptions {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  const groups = supplementalGroups(pod);
  return {
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsGroup !== undefined && { runAsGroup }),
    ...(groups.length > 0 && { supplementalGroups: groups }),
    ...(own.privileged !== undefined && { privileged: own.privileged }),
    ...(own.readOnlyRootFilesystem !== undefined && { readOnlyRootFilesystem: own.readOnlyRootFilesystem }),
    ...(own.capabilities?.add && { addCapabilities: own.capabilities.add }),
    ...(own.capabilities?.drop && { dropCapabilities: own.capabilities.drop }),
    ...(own.allowPrivilegeEscalation === false && { noNewPrivileges: true }),
  };
}

function supplementalGroups(pod: Pod): number[] {
  const { supplementalGroups: groups = [], fsGroup } = pod.spec.securityContext ?? {};
  return [...new Set([...groups, ...(fsGroup === undefined ? [] : [fsGroup])])];
}
