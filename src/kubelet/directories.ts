// Where a pod's things lie on the node.
import path from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeletContext } from './context.ts';

export function podDirectory(context: Pick<KubeletContext, 'directories'>, uid: string): string {
  return path.join(context.directories.pods, uid);
}

export function hostsPath(context: Pick<KubeletContext, 'directories'>, pod: Pod): string {
  return path.join(podDirectory(context, pod.metadata.uid!), 'etc-hosts');
}

/** Where a container writes its last words, one file for each instance. */
export function terminationMessagePath(
  context: Pick<KubeletContext, 'directories'>,
  uid: string,
  container: string,
  attempt: number,
): string {
  return path.join(podDirectory(context, uid), 'containers', container, String(attempt));
}
