// The scheduler's picture of the cluster: nodes with their pods, and pods that it has placed but whose binding it has not seen yet.
// A pod assumed here counts at once, so that the next pod is not put into the same place.
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { NodeInfo } from './node-info.ts';
import { addPod, createNodeInfo, removePod, setNode } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import { podInfoOf } from './pod-info.ts';

export interface ClusterCache {
  /** Nodes that exist, in a stable order. */
  readonly nodes: readonly NodeInfo[];
  setNode(node: Node): NodeInfo;
  removeNode(name: string): void;
  /** A bound pod that counts against its node; replaces what was assumed. */
  setPod(pod: Pod): void;
  /** Answers the pod if it counted against a node. */
  removePod(uid: string): PodInfo | undefined;
  assume(pod: PodInfo, nodeName: string): void;
  /** The binding failed: the place is free again. */
  forget(uid: string): void;
  isPlaced(uid: string): boolean;
}

export function createClusterCache(): ClusterCache {
  const byName = new Map<string, NodeInfo>();
  const nodes: NodeInfo[] = [];
  /** The node that each pod counts against. */
  const places = new Map<string, NodeInfo>();

  const infoOf = (name: string): NodeInfo => {
    let info = byName.get(name);
    if (info === undefined) byName.set(name, (info = createNodeInfo(name)));
    return info;
  };
  const remove = (uid: string): PodInfo | undefined => {
    const info = places.get(uid);
    if (info === undefined) return undefined;
    places.delete(uid);
    const pod = removePod(info, uid);
    if (info.node === undefined && info.pods.size === 0) byName.delete(info.name);
    return pod;
  };
  const place = (pod: PodInfo, nodeName: string): void => {
    remove(pod.uid);
    const info = infoOf(nodeName);
    addPod(info, pod);
    places.set(pod.uid, info);
  };

  return {
    nodes,
    setNode(node) {
      const info = infoOf(node.metadata.name!);
      if (info.node === undefined) nodes.push(info);
      setNode(info, node);
      return info;
    },
    removeNode(name) {
      const info = byName.get(name);
      if (info?.node === undefined) return;
      setNode(info, undefined);
      nodes.splice(nodes.indexOf(info), 1);
      if (info.pods.size === 0) byName.delete(name);
    },
    setPod(pod) {
      place(podInfoOf(pod), pod.spec.nodeName!);
    },
    removePod: remove,
    assume: place,
    forget: (uid) => void remove(uid),
    isPlaced: (uid) => places.has(uid),
  };
}
