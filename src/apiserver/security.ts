// Who may do what, wired: authenticators in order, authorizers in order (superusers, nodes, what is plugged in, RBAC), and what hangs on them:
// the escalation guard, the review resources, tokens and the OpenID documents.
import type { Authorizer, TokenAuthenticator, UserInfo } from '#api/meta/access.ts';
import { unauthorized } from '#api/meta/errors.ts';
import {
  clusterrolebindings,
  clusterroles,
  nodes,
  persistentvolumeclaims,
  pods,
  rolebindings,
  roles,
  secrets,
  serviceaccounts,
} from '#api/generated/resources.ts';
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { escalation } from './admission/escalation.ts';
import { createAuthentication } from './authn/authenticate.ts';
import { oidcDiscovery, openidPaths } from './authn/oidc-discovery.ts';
import type { ServiceAccountTokens } from './authn/service-account-tokens.ts';
import { createServiceAccountTokens } from './authn/service-account-tokens.ts';
import { authorizeSuperuser, chainAuthorizers } from './authz/chain.ts';
import { createEscalationGuard } from './authz/escalation.ts';
import { createNodeAuthorizer } from './authz/node.ts';
import type { RbacObjects } from './authz/rbac.ts';
import { createRbac } from './authz/rbac.ts';
import { createReviews } from './authz/reviews.ts';
import type { ClusterView } from './registry/cluster-view.ts';
import type { PathHandler, Security, VirtualResource } from './server.ts';

export interface SecurityOptions {
  /** The issuer that service account tokens name. */
  issuer: string;
  /** PEM of the key that signs them. */
  serviceAccountKey: string;
  /** Where others read the public half: `https://host:port`. */
  publicUrl(): string;
  /** Asked for tokens that are no service account's. */
  tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Asked after the node authorizer and before RBAC. */
  authorizers?: readonly Authorizer[];
  clock: Clock;
  random: Random;
  log: Log;
}

export interface ClusterSecurity extends Security {
  reviews: readonly VirtualResource[];
  /** Who really asked, if the user came out of an impersonation. */
  impersonatorOf(user: UserInfo): UserInfo | undefined;
  openid: PathHandler;
}

export function createSecurity(view: ClusterView, options: SecurityOptions): ClusterSecurity {
  const { clock, log, tokenAuthenticators = [], authorizers = [] } = options;
  const rbac = createRbac(rbacObjects(view));
  const node = createNodeAuthorizer({
    podsOnNode: (name) => view.podsOnNode(name),
    claim: (namespace, name) => view.cached(persistentvolumeclaims, { namespace, name }),
  });
  const authorize = chainAuthorizers([authorizeSuperuser, node, ...authorizers, rbac.authorize]);
  const tokens = serviceAccountTokens(view, options);
  const recognisers: TokenAuthenticator[] = [async (token) => (await tokens.verify(token))?.user, ...tokenAuthenticators];
  const authentication = createAuthentication({ tokenAuthenticators: recognisers, authorize, log });

  return {
    authenticate: authentication.authenticate,
    impersonatorOf: authentication.impersonatorOf,
    authorize,
    issueToken: tokens.issue,
    admission: [escalation(createEscalationGuard(rbac, authorize))],
    reviews: createReviews({
      authorize,
      rbac,
      clock,
      async authenticateToken(token, audiences) {
        const own = await tokens.verify(token, audiences.length > 0 ? audiences : undefined);
        if (own !== undefined) return own;
        for (const recognise of tokenAuthenticators) {
          const user = await recognise(token);
          if (user !== undefined) return { user, audiences: [...audiences] };
        }
        throw unauthorized();
      },
    }) as readonly VirtualResource[],
    openid: openidDocuments(tokens, options.publicUrl),
  };
}

function rbacObjects(view: ClusterView): RbacObjects {
  return {
    version: () => view.versionOf(clusterroles, roles, clusterrolebindings, rolebindings),
    clusterRoles: () => view.cachedList(clusterroles),
    roles: () => view.cachedList(roles),
    clusterRoleBindings: () => view.cachedList(clusterrolebindings),
    roleBindings: () => view.cachedList(rolebindings),
  };
}

function serviceAccountTokens(view: ClusterView, { issuer, serviceAccountKey, clock, random }: SecurityOptions): ServiceAccountTokens {
  return createServiceAccountTokens({
    issuer,
    audiences: [issuer, 'https://kubernetes.default.svc'],
    privateKey: serviceAccountKey,
    clock,
    random,
    objects: {
      serviceAccount: (namespace, name) => view.latest(serviceaccounts, { namespace, name }),
      pod: (namespace, name) => view.latest(pods, { namespace, name }),
      secret: (namespace, name) => view.latest(secrets, { namespace, name }),
      node: (name) => view.latest(nodes, { name }),
    },
  });
}

function openidDocuments(tokens: ServiceAccountTokens, publicUrl: () => string): PathHandler {
  return async (request) => {
    const path = openidPaths.find((known) => known === request.path);
    return path && oidcDiscovery(tokens, `${publicUrl()}/openid/v1/jwks`)[path](request);
  };
}
