// The ports that a pod takes on its node: no two pods of a node share one of a protocol on an address.
import type { Pod } from '#api/generated/core-v1.ts';
import { isSidecar } from './pod-requests.ts';

export interface HostPort {
  protocol: string;
  ip: string;
  port: number;
}

export function hostPortsOf(pod: Pod): HostPort[] {
  return [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? []).filter(isSidecar)].flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ port: hostPort, ip: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP' }] : [],
    ),
  );
}

/** 0.0.0.0 is every address. */
export function collide(one: HostPort, other: HostPort): boolean {
  if (one.port !== other.port || one.protocol !== other.protocol) return false;
  return one.ip === other.ip || one.ip === '0.0.0.0' || other.ip === '0.0.0.0';
}
