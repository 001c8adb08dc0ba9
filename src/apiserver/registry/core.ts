// What every endpoint of one API server shares; built once in server.ts and handed down.
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import type { ServiceAccount } from '#api/generated/core-v1.ts';
import type { Authorizer } from '#api/meta/access.ts';
import type { Store } from '#store/store.ts';
import type { AdmissionChain } from '../admission/plugin.ts';
import type { World } from '../cache/world.ts';
import type { WriteHooks } from '../endpoints/hooks.ts';
import type { ClusterView } from './cluster-view.ts';
import type { ResourceSet } from './resource-set.ts';

/** Checks what a request for a token asks for, signs the token and answers the request with its status filled in. */
export type TokenIssuer = (request: { account: ServiceAccount; tokenRequest: TokenRequest }) => Promise<TokenRequest>;

export interface Core {
  readonly view: ClusterView;
  readonly store: Store;
  readonly world: World;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly resources: ResourceSet;
  readonly admission: AdmissionChain;
  readonly authorize: Authorizer;
  /** By the resource's key prefix. */
  readonly hooks: ReadonlyMap<string, WriteHooks>;
  readonly issueToken: TokenIssuer | undefined;
}
