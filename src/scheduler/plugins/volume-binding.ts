// VolumeBinding: a pod's claims must exist and be bound, or be of a class that waits for the first consumer; a bound volume may tie the pod to nodes.
import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { matchesTerm } from '#api/core/node-selector.ts';
import type { FilterPlugin, PreFilterPlugin } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';

export interface VolumeLookup {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
}

const selectedNode = 'volume.kubernetes.io/selected-node';

export function volumeBinding(lookup: VolumeLookup): PreFilterPlugin & FilterPlugin {
  const claimsOf = (pod: PodInfo) => pod.claims.flatMap((name) => lookup.claim(pod.pod.metadata.namespace!, name) ?? []);
  return {
    name: 'VolumeBinding',
    retryOn: ['volume-changed', 'node-added', 'node-updated'],
    preFilter(pod) {
      for (const name of pod.claims) {
        const claim = lookup.claim(pod.pod.metadata.namespace!, name);
        if (claim === undefined) return `persistentvolumeclaim "${name}" not found`;
        if (claim.status?.phase === 'Lost')
          return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName}"`;
        if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
        if (!isBound(claim) && !waitsForConsumer(claim, lookup)) return 'pod has unbound immediate PersistentVolumeClaims';
      }
      return undefined;
    },
    filter(pod, { node }) {
      for (const claim of claimsOf(pod)) {
        if (!isBound(claim)) {
          const chosen = claim.metadata.annotations?.[selectedNode];
          if (chosen !== undefined && chosen !== node!.metadata.name) return ["node(s) didn't find available persistent volumes to bind"];
          continue;
        }
        const volume = lookup.volume(claim.spec.volumeName!);
        if (volume === undefined) return ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'];
        const terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms;
        if (terms && !terms.some((term) => matchesTerm(term, node!))) return ["node(s) didn't match PersistentVolume's node affinity"];
      }
      return undefined;
    },
  };
}

/** Claims that must be told the pod's node before a volume is made for them. */
export function claimsToProvision(pod: PodInfo, lookup: VolumeLookup): PersistentVolumeClaim[] {
  return pod.claims
    .flatMap((name) => lookup.claim(pod.pod.metadata.namespace!, name) ?? [])
    .filter((claim) => !isBound(claim) && waitsForConsumer(claim, lookup));
}

export function withSelectedNode(nodeName: string): { metadata: { annotations: Record<string, string> } } {
  return { metadata: { annotations: { [selectedNode]: nodeName } } };
}

function isBound(claim: PersistentVolumeClaim): boolean {
  return claim.metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined && Boolean(claim.spec.volumeName);
}

function waitsForConsumer(claim: PersistentVolumeClaim, lookup: VolumeLookup): boolean {
  const name = claim.spec.storageClassName;
  return Boolean(name) && lookup.storageClass(name!)?.volumeBindingMode === 'WaitForFirstConsumer';
}
