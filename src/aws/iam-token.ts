// IAM tokens for Kubernetes: `k8s-aws-v1.` + a presigned GetCallerIdentity URL. The signature is recomputed here with the secret
// that our own IAM issued; the URL is never fetched, so a token can neither leak a request nor reach an inner address.
import { AwsError } from './aws-error.ts';
import type { CredentialStore, Principal } from './credentials.ts';
import type { SigningCredentials } from './sign.ts';
import { presign } from './sign.ts';
import { emptyPayloadHash, parseAmzDate, queryPairs } from './sigv4.ts';
import { queryDialect, signatureFromQuery, verifySignature } from './verify.ts';

const prefix = 'k8s-aws-v1.';
const clusterHeader = 'x-k8s-aws-id';
const maxTokenBytes = 4096;
const lifeMs = 15 * 60_000;
const skewMs = 5 * 60_000;
const queryKeys = new Set([
  'action',
  'version',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]); // prettier-ignore

export interface IamTokenOptions {
  clusterName: string;
  credentials: CredentialStore;
  nowMs: number;
  /** Hosts besides AWS' own STS ones that a URL may name: this daemon's endpoint, e.g. `127.0.0.1:4577`. */
  ownHosts: readonly string[];
}

export function isIamToken(token: string): boolean {
  return token.startsWith(prefix);
}

const maxRemembered = 1024;

/**
 * Clients show the same token with every request, and recomputing its signature is the dear part: of a token that was found good
 * only its age is checked again, and that its key is still the one it was signed with. Throws an Error that says why not.
 */
export function iamTokenVerifier(options: Omit<IamTokenOptions, 'nowMs'>): (token: string, nowMs: number) => Principal {
  const remembered = new Map<string, RememberedToken>();
  return (token, nowMs) => {
    const known = remembered.get(token);
    const principal = known && principalOf(known, options.credentials, nowMs);
    if (principal !== undefined) return principal;
    remembered.delete(token);
    const { accessKeyId, sessionToken, signedMs, ...verified } = verifyIamToken(token, { ...options, nowMs });
    const found = options.credentials.find(accessKeyId, sessionToken, nowMs);
    if (typeof found === 'object') {
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(token, { accessKeyId, sessionToken, signedMs, secretAccessKey: found.secretAccessKey });
    }
    return verified.principal;
  };
}

interface RememberedToken {
  accessKeyId: string;
  sessionToken: string | undefined;
  signedMs: number;
  secretAccessKey: string;
}

/** Undefined where the token must be looked at anew: then the refusal, too, is worded there. */
function principalOf(token: RememberedToken, credentials: CredentialStore, nowMs: number): Principal | undefined {
  if (!isAlive(token.signedMs, nowMs)) return undefined;
  const found = credentials.find(token.accessKeyId, token.sessionToken, nowMs);
  return typeof found === 'object' && found.secretAccessKey === token.secretAccessKey ? found.principal : undefined;
}

interface VerifiedToken extends Omit<RememberedToken, 'secretAccessKey'> {
  principal: Principal;
}

function verifyIamToken(token: string, options: IamTokenOptions): VerifiedToken {
  const url = urlOf(token);
  const own = options.ownHosts.includes(url.host);
  if (!own && url.protocol !== 'https:') throw new Error(`unexpected scheme "${url.protocol.slice(0, -1)}" in pre-signed URL`);
  if (!own && !isStsHost(url.host)) throw new Error(`unexpected hostname "${url.host}" in pre-signed URL`);
  if (url.pathname !== '/') throw new Error('unexpected path in pre-signed URL');
  const query = url.search.slice(1);
  checkQuery(query);
  const request = { method: 'GET', path: '/', query, headers: { host: url.host, [clusterHeader]: options.clusterName } };
  try {
    const signature = signatureFromQuery(request, queryDialect);
    if (!signature.signedHeaders.includes('host')) throw new Error('client did not sign the host header in the pre-signed URL');
    if (!signature.signedHeaders.includes(clusterHeader))
      throw new Error(`client did not sign the ${clusterHeader} header in the pre-signed URL`);
    if (signature.scope.service !== 'sts') throw new Error(`unexpected service "${signature.scope.service}" in pre-signed URL`);
    if (signature.scope.date !== signature.amzDate.slice(0, 8)) throw new Error('the credential scope and X-Amz-Date parameter differ');
    const signedMs = checkTimes(signature.amzDate, signature.expiresSeconds, options.nowMs);
    const principal = verifySignature(request, signature, emptyPayloadHash, { ...options, dialect: queryDialect });
    return { principal, accessKeyId: signature.scope.accessKeyId, sessionToken: signature.sessionToken, signedMs };
  } catch (error) {
    // AWS' long text would echo the canonical request into our log: the code says enough.
    if (error instanceof AwsError) throw new Error(`${error.code} for the pre-signed URL`, { cause: error });
    throw error;
  }
}

function urlOf(token: string): URL {
  if (Buffer.byteLength(token) > maxTokenBytes) throw new Error(`token is too large: it must not exceed ${maxTokenBytes} bytes`);
  const encoded = token.slice(prefix.length);
  if (!/^[\w-]+$/.test(encoded)) throw new Error('token is not base64url');
  try {
    return new URL(Buffer.from(encoded, 'base64url').toString());
  } catch (error) {
    throw new Error('token holds no URL', { cause: error });
  }
}

function isStsHost(host: string): boolean {
  return host === 'sts.amazonaws.com' || /^sts(-fips)?\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com$/.test(host);
}

function checkQuery(query: string): void {
  const seen = new Set<string>();
  for (const [name, value] of queryPairs(query)) {
    const key = name.toLowerCase();
    if (!queryKeys.has(key)) throw new Error(`non-whitelisted query parameter "${name}"`);
    if (seen.has(key)) throw new Error(`query parameter "${name}" with multiple values`);
    seen.add(key);
    if (key === 'action' && value !== 'GetCallerIdentity') throw new Error('unexpected action parameter in pre-signed URL');
  }
  if (!seen.has('action')) throw new Error('unexpected action parameter in pre-signed URL');
}

/** The signer's own expiry is looked at only for sense: a token lives 15 minutes from its date. */
function checkTimes(amzDate: string, expiresSeconds: number | undefined, nowMs: number): number {
  if (expiresSeconds === undefined || !(expiresSeconds >= 0 && expiresSeconds <= 900))
    throw new Error('invalid X-Amz-Expires parameter in pre-signed URL');
  const signedMs = parseAmzDate(amzDate);
  if (signedMs === undefined) throw new Error('error parsing X-Amz-Date parameter in pre-signed URL');
  if (signedMs + lifeMs <= nowMs) throw new Error('X-Amz-Date parameter is expired (15 minutes)');
  if (signedMs > nowMs + skewMs) throw new Error('X-Amz-Date parameter is in the future');
  return signedMs;
}

function isAlive(signedMs: number, nowMs: number): boolean {
  return signedMs + lifeMs > nowMs && signedMs <= nowMs + skewMs;
}

export interface IssuedToken {
  token: string;
  /** A minute before the server's limit, as `aws eks get-token` says. */
  expirationMs: number;
}

/** What `aws eks get-token` makes: a token of these credentials for one cluster. */
export function issueIamToken(
  clusterName: string,
  credentials: SigningCredentials,
  options: { region: string; nowMs: number },
): IssuedToken {
  const url = new URL(`https://sts.${options.region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15`);
  const signed = presign(url, { [clusterHeader]: clusterName }, credentials, { ...options, service: 'sts', expiresSeconds: 60 });
  return { token: prefix + Buffer.from(signed).toString('base64url'), expirationMs: options.nowMs + 14 * 60_000 };
}
