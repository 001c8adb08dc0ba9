// Labels and names by which the runtime's sandboxes and containers are recognised, also by a kubelet that was restarted.
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodIdentity } from './runtime/runtime.ts';

export function identityOf(pod: Pod): PodIdentity {
  return { namespace: pod.metadata.namespace!, name: pod.metadata.name!, uid: pod.metadata.uid! };
}

export function sandboxLabels(pod: Pod): Record<string, string> {
  const { namespace, name, uid } = identityOf(pod);
  return { ...pod.metadata.labels, 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid };
}

export function containerLabels(pod: Pod, container: string): Record<string, string> {
  const { namespace, name, uid } = identityOf(pod);
  return {
    'io.kubernetes.container.name': container,
    'io.kubernetes.pod.name': name,
    'io.kubernetes.pod.namespace': namespace,
    'io.kubernetes.pod.uid': uid,
  };
}

/** `namespace_name_uid`, the pod's directory below the log directory. */
export function logDirectoryName(pod: PodIdentity): string {
  return `${pod.namespace}_${pod.name}_${pod.uid}`;
}

/** The pod's own name for itself: its hostname field or its name, cut to what a host name may hold. */
export function hostnameOf(pod: Pod): string {
  const name = pod.spec.hostnameOverride ?? pod.spec.hostname ?? pod.metadata.name!;
  return name.length <= 63 ? name : name.slice(0, 63).replace(/[-.]+$/, '');
}
