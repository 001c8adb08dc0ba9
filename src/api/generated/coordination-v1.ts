// The messages of coordination.k8s.io/v1 as they stand in JSON.
// Generated from tools/generate/inputs/kubernetes by `npm run generate`: never edit.
import type { ListMeta, ObjectMeta } from './meta-v1.ts';

export interface Lease {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: LeaseSpec;
}

export interface LeaseList {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: Lease[];
}

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
  strategy?: string;
  preferredHolder?: string;
}
