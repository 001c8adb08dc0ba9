// Tokens for pods' service accounts, bound to the pod, asked of the API server and renewed at 80 % of their life.
import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import type { Pod, ServiceAccountTokenProjection } from '#api/generated/core-v1.ts';
import { serviceaccounts } from '#api/generated/resources.ts';
import type { ResourceType } from '#api/meta/object.ts';
import type { Client } from '#client/client.ts';
import type { Clock } from '#lib/clock.ts';

export interface TokenSource {
  token(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string>;
  /** When the first of the pod's tokens wants renewal. */
  renewAtMs(podUid: string): number | undefined;
  forget(podUid: string): void;
}

interface Held {
  token: string;
  renewAtMs: number;
}

const defaultExpirationSeconds = 3600;
const renewAfter = 0.8;
const oldestMs = 24 * 3600 * 1000;

export function createTokenSource({ client, clock }: { client: Client; clock: Clock }): TokenSource {
  const held = new Map<string, Map<string, Held>>();
  return {
    async token(pod, projection) {
      const uid = pod.metadata.uid!;
      const expirationSeconds = projection.expirationSeconds ?? defaultExpirationSeconds;
      const key = `${projection.audience ?? ''}|${expirationSeconds}`;
      const tokens = held.get(uid) ?? new Map<string, Held>();
      held.set(uid, tokens);
      const known = tokens.get(key);
      if (known !== undefined && clock.now() < known.renewAtMs) return known.token;
      const answer = await request(client, pod, { ...(projection.audience && { audiences: [projection.audience] }), expirationSeconds });
      const { token = '', expirationTimestamp = '' } = answer.status ?? {};
      const nowMs = clock.now();
      const lifeMs = Date.parse(expirationTimestamp) - nowMs;
      tokens.set(key, { token, renewAtMs: nowMs + Math.min(lifeMs * renewAfter, oldestMs) });
      return token;
    },
    renewAtMs(podUid) {
      const tokens = held.get(podUid);
      if (tokens === undefined || tokens.size === 0) return undefined;
      return Math.min(...[...tokens.values()].map((token) => token.renewAtMs));
    },
    forget: (podUid) => void held.delete(podUid),
  };
}

function request(client: Client, pod: Pod, spec: { audiences?: string[]; expirationSeconds: number }): Promise<TokenRequest> {
  const { namespace, name, uid } = pod.metadata;
  const account = pod.spec.serviceAccountName || 'default';
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name: account, namespace: namespace! },
    spec: { ...spec, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: name!, uid: uid! } },
  } as TokenRequest;
  // The subresource takes and answers another kind than the resource it stands below.
  const resource = serviceaccounts as unknown as ResourceType<TokenRequest>;
  return client.create(resource, body, { subresource: 'token' }, { namespace: namespace!, name: account });
}
