// What a scheduler plugin is: one predicate or score, its reason in upstream's words, and the events that could change its answer.
import type { KubeObject } from '#api/meta/object.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** Something that happened in the cluster and may make a pod schedulable. */
type ClusterEvent =
  | { kind: 'node-added'; node: NodeInfo }
  | { kind: 'node-updated'; node: NodeInfo }
  | { kind: 'pod-removed'; pod: PodInfo }
  | { kind: 'volume-changed'; object: KubeObject };

export type ClusterEventKind = ClusterEvent['kind'];

interface Plugin {
  readonly name: string;
  /** A pod that this plugin turned away is tried again after these. */
  readonly retryOn: readonly ClusterEventKind[];
}

/** Looked at once a pod, before any node: answers why no node at all will do. */
export interface PreFilterPlugin extends Plugin {
  preFilter(pod: PodInfo): string | undefined;
}

export interface FilterPlugin extends Plugin {
  /** Undefined: the node will do. Else the reasons why not. */
  filter(pod: PodInfo, node: NodeInfo): readonly string[] | undefined;
}

export interface ScorePlugin extends Plugin {
  readonly weight: number;
  /** False: the pod gives this plugin nothing to score by. */
  concerns(pod: PodInfo): boolean;
  score(pod: PodInfo, node: NodeInfo): number;
  /** Scores are brought to 0…100: `as-is` they are already, `highest` the best becomes 100, `lowest` the least becomes 100. */
  readonly normalize: 'as-is' | 'highest' | 'lowest';
}

/** The ordered lists of a scheduler: they are its whole policy. */
export interface Profile {
  schedulerName: string;
  preFilters: readonly PreFilterPlugin[];
  filters: readonly FilterPlugin[];
  scores: readonly ScorePlugin[];
}

export const maxScore = 100;
