// What is kept of a cluster: the API's own object, and what only keks needs to know.
import type { Cluster } from '#eks/generated/types.ts';

export interface ClusterRecord {
  /** 32 upper-case hex digits: part of endpoint and issuer, and the name of the state's folder. */
  id: string;
  cluster: Cluster & { name: string; arn: string; status: NonNullable<Cluster['status']>; version: string };
  creator: { canonicalArn: string };
  bootstrapCreatorAdmin: boolean;
  /** Hash of the creating request, to tell a repetition from another one. */
  requestHash: string;
}

/** seconds since the epoch, in milliseconds' precision: how AWS' JSON carries timestamps */
export function toTimestamp(ms: number): number {
  return ms / 1000;
}
