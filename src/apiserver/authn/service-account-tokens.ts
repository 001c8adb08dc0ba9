// Service account tokens: signed for a pod or for whoever may ask, good only as long as what they are bound to exists.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { JWK, JWTPayload } from 'jose';
import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import type { Node, Pod, Secret, ServiceAccount } from '#api/generated/core-v1.ts';
import type { UserInfo } from '#api/meta/access.ts';
import { type Clock, toTime } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import { type Bindings, bindingsOf, type BoundObjects, checkSpec, defaultSeconds, type Reference } from './token-bindings.ts';

export interface ServiceAccountTokensOptions {
  issuer: string;
  /** What the API server itself answers to; the first is what tokens are made for when nobody says. Defaults to the issuer. */
  audiences?: readonly string[];
  /** PEM, ECDSA P-256 or RSA. */
  privateKey: string;
  /** PEM of retired keys whose tokens still count. */
  otherPublicKeys?: readonly string[];
  objects: BoundObjects;
  clock: Clock;
  random: Random;
  maxExpirationSeconds?: number;
}

export interface ServiceAccountTokens {
  /** Signs what `request.spec` asks for; refuses with upstream's errors what it may not ask for. */
  issue(request: { account: ServiceAccount; tokenRequest: TokenRequest }): Promise<TokenRequest>;
  /** Undefined: none of ours. Throws if it is one of ours and not valid (any more). */
  verify(token: string, audiences?: readonly string[]): Promise<{ user: UserInfo; audiences: string[] } | undefined>;
  readonly issuer: string;
  publicKeys(): Promise<JWK[]>;
}

type Claims = JWTPayload & { 'kubernetes.io'?: Bindings };

interface VerificationKey {
  key: KeyObject;
  id: string;
  algorithm: string;
}

/** Kubelets ask for this many seconds; such tokens live on for clients that never read them again, with a warning. */
const extendedRequestSeconds = 3607;
const extendedSeconds = 365 * 24 * 3600;
/** A deleted account's tokens live on this long, so that its pods may end in peace. */
const deletionLeewayMs = 60_000;
const maxRemembered = 4096;
/** `{"` in base64url. */
const jwtStart = 'eyJ';

export function createServiceAccountTokens(options: ServiceAccountTokensOptions): ServiceAccountTokens {
  const { issuer, clock, objects } = options;
  const ownAudiences = options.audiences ?? [issuer];
  const privateKey = createPrivateKey(options.privateKey);
  let loading: Promise<VerificationKey[]> | undefined;
  const loadedKeys = () => (loading ??= loadKeys(privateKey, options.otherPublicKeys ?? []));
  /** Tokens whose signature was found good: checking it is the dear part. */
  const remembered = new Map<string, Claims>();

  const signed = async (token: string): Promise<Claims | undefined> => {
    const known = remembered.get(token);
    if (known) return known;
    if (!(await isOurs(token, issuer))) return undefined;
    const claims = await checkSignature(token, await loadedKeys(), issuer);
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(token, claims);
    return claims;
  };

  return {
    issuer,
    publicKeys: async () => Promise.all((await loadedKeys()).map(jwkOf)),
    async issue({ account, tokenRequest }) {
      const spec = tokenRequest.spec ?? {};
      checkSpec(account, spec);
      const audiences = spec.audiences?.length ? spec.audiences : [...ownAudiences];
      const asked = Math.min(spec.expirationSeconds ?? defaultSeconds, options.maxExpirationSeconds ?? Number.POSITIVE_INFINITY);
      const bound = await bindingsOf(account, spec, objects);
      const extended = asked === extendedRequestSeconds && audiences.every((audience) => ownAudiences.includes(audience)) && bound.pod;
      const now = Math.floor(clock.now() / 1000);
      const claims: Claims = {
        aud: audiences,
        exp: now + (extended ? extendedSeconds : asked),
        iat: now,
        iss: issuer,
        jti: options.random.uuid(),
        'kubernetes.io': { ...bound, ...(extended && { warnafter: now + asked }) },
        nbf: now,
        sub: `system:serviceaccount:${account.metadata.namespace}:${account.metadata.name}`,
      };
      const [first] = await loadedKeys();
      const { SignJWT } = await jose();
      const token = await new SignJWT(claims).setProtectedHeader({ alg: first!.algorithm, kid: first!.id }).sign(privateKey);
      return {
        ...tokenRequest,
        spec: { ...spec, audiences, expirationSeconds: asked },
        status: { token, expirationTimestamp: toTime(claims.exp! * 1000) },
      };
    },
    async verify(token, audiences = ownAudiences) {
      const claims = await signed(token);
      if (claims === undefined) return undefined;
      const now = clock.now();
      if (now >= claims.exp! * 1000) throw new Error('service account token has expired');
      if (claims.nbf !== undefined && now < claims.nbf * 1000) throw new Error('service account token is not valid yet');
      const wanted = audiences.length > 0 ? audiences : ownAudiences;
      const matching = wanted.filter((audience) => [claims.aud ?? []].flat().includes(audience));
      if (matching.length === 0) {
        const [made, asked] = [[claims.aud ?? []].flat(), wanted].map((list) => `[${list.map((each) => JSON.stringify(each)).join(' ')}]`);
        throw new Error(`token audiences ${made} is invalid for the target audiences ${asked}`);
      }
      return { user: await userOf(claims, objects, now), audiences: matching };
    },
  };
}

/** Loaded when the first token is asked for or shown: starting a cluster needs none. */
const jose = () => import('jose');

async function isOurs(token: string, issuer: string): Promise<boolean> {
  // The tokens of IAM come by here with every request: told apart without an error to be made.
  if (!token.startsWith(jwtStart)) return false;
  const { decodeJwt } = await jose();
  try {
    return decodeJwt(token).iss === issuer;
  } catch {
    return false;
  }
}

async function checkSignature(token: string, keys: readonly VerificationKey[], issuer: string): Promise<Claims> {
  let failure: unknown;
  const { decodeJwt, jwtVerify } = await jose();
  const currentDate = datesCheckedLater(decodeJwt(token));
  for (const { key, algorithm } of keys) {
    try {
      // Dates are ours to check, by the clock that was passed in.
      const { payload } = await jwtVerify(token, key, { issuer, algorithms: [algorithm], currentDate });
      return payload as Claims;
    } catch (error) {
      failure = error;
    }
  }
  throw new Error('invalid bearer token', { cause: failure });
}

function datesCheckedLater({ nbf, iat, exp }: JWTPayload): Date {
  return new Date((nbf ?? iat ?? (exp ?? 1) - 1) * 1000);
}

async function userOf(claims: Claims, objects: BoundObjects, now: number): Promise<UserInfo> {
  const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io'] ?? {};
  if (!namespace || !serviceaccount) throw new Error('service account token has no kubernetes.io claims');
  const account = await objects.serviceAccount(namespace, serviceaccount.name);
  alive(account, serviceaccount, `service account ${namespace}/${serviceaccount.name}`, now);
  const extra: Record<string, string[]> = {};
  if (claims.jti) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims.jti}`];
  if (secret) alive(await objects.secret(namespace, secret.name), secret, 'service account token: the secret', now);
  if (pod) {
    alive(await objects.pod(namespace, pod.name), pod, 'service account token: the pod', now);
    extra['authentication.kubernetes.io/pod-name'] = [pod.name];
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid];
  }
  if (node) {
    // With a pod the node is told, not checked: the pod may outlive it for a moment.
    if (!pod) alive(await objects.node(node.name), node, 'service account token: the node', now);
    extra['authentication.kubernetes.io/node-name'] = [node.name];
    if (node.uid) extra['authentication.kubernetes.io/node-uid'] = [node.uid];
  }
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra,
  };
}

function alive(object: ServiceAccount | Pod | Secret | Node | undefined, reference: Reference, what: string, now: number): void {
  if (!object) throw new Error(`${what} does not exist any more`);
  if (object.metadata.uid !== reference.uid) throw new Error(`${what} has another UID than the token was made for`);
  const deletedAt = object.metadata.deletionTimestamp;
  if (deletedAt && Date.parse(deletedAt) + deletionLeewayMs < now) throw new Error(`${what} has been deleted`);
}

async function jwkOf({ key, id, algorithm }: VerificationKey): Promise<JWK> {
  const { exportJWK } = await jose();
  return { use: 'sig', ...(await exportJWK(key)), kid: id, alg: algorithm };
}

async function loadKeys(privateKey: KeyObject, otherPublicKeys: readonly string[]): Promise<VerificationKey[]> {
  const { calculateJwkThumbprint, exportJWK } = await jose();
  const keys = [createPublicKey(privateKey), ...otherPublicKeys.map((pem) => createPublicKey(pem))];
  return Promise.all(
    keys.map(async (key) => ({
      key,
      id: await calculateJwkThumbprint(await exportJWK(key)),
      algorithm: key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256',
    })),
  );
}
