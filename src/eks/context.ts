// What every EKS operation is handed.
import type { Principal } from '#aws/credentials.ts';
import type { Random } from '#lib/random.ts';
import type { Clusters } from './clusters/clusters.ts';
import type { OperationName, Operations } from './generated/types.ts';
import type { Nodegroups } from './nodegroups/nodegroups.ts';

export interface EksContext {
  readonly accountId: string;
  readonly region: string;
  readonly random: Random;
  readonly now: () => number;
  readonly clusters: Clusters;
  readonly nodegroups: Nodegroups;
}

/** Validated input in, typed output or a modelled error out. */
export type Operation<Name extends OperationName> = (
  input: Operations[Name]['input'],
  context: EksContext,
  caller: Principal,
) => Promise<Operations[Name]['output']>;
