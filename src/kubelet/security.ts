// Security contexts of pod and container, merged into what the runtime applies.
import type { Container, Pod } from '#api/generated/core-v1.ts';
import { ConfigError } from './env.ts';
import { podText } from './plan.ts';
import type { SecurityOptions } from './runtime/runtime.ts';

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

/** Throws ConfigError where the pod forbids root and yet asks for it. */
export function containerSecurity(pod: Pod, container: Container): SecurityOptions {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) && runAsUser === 0) {
    throw new ConfigError(`container's runAsUser breaks non-root policy (pod: "${podText(pod)}", container: ${container.name})`);
  }
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
