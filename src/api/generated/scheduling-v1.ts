// The messages of scheduling.k8s.io/v1 as they stand in JSON.
// Generated from tools/generate/inputs/kubernetes by `npm run generate`: never edit.
import type { ListMeta, ObjectMeta } from './meta-v1.ts';

export interface PriorityClass {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  value?: number;
  globalDefault?: boolean;
  description?: string;
  /** One of PreemptLowerPriority, Never. */
  preemptionPolicy?: string;
}

export interface PriorityClassList {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: PriorityClass[];
}
