// Who makes a request: a client certificate, a bearer token, or nobody (anonymous). Wrong credentials are refused, missing ones are not.
import { createHash } from 'node:crypto';
import type { Authorizer, TokenAuthenticator, UserInfo } from '#api/meta/access.ts';
import { ApiError, unauthorized } from '#api/meta/errors.ts';
import { parseCertificate } from '#lib/certificates.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import type { Log } from '#lib/log.ts';
import { impersonate } from './impersonation.ts';

export interface AuthenticationOptions {
  /** Asked in order; the first that knows a token decides. */
  tokenAuthenticators: readonly TokenAuthenticator[];
  /** Decides about Impersonate-* headers. */
  authorize: Authorizer;
  log: Log;
  /** Default: true, as upstream; RBAC decides what nobody may do. */
  anonymous?: boolean;
}

export interface Authentication {
  /** The user that the request acts as. Throws 401, or 403 for an impersonation that is not allowed. */
  authenticate(request: HttpRequest): Promise<UserInfo>;
  /** Who really asked, if `user` came out of an impersonation. */
  impersonatorOf(user: UserInfo): UserInfo | undefined;
}

export const anonymousUser: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

const maxRememberedCertificates = 1024;

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const certificateUser = rememberCertificates();
  const impersonators = new WeakMap<UserInfo, UserInfo>();
  return {
    async authenticate(request) {
      const user = await identify(request, options, certificateUser);
      const acting = impersonate(request, user, options.authorize);
      if (acting === undefined) return user;
      impersonators.set(acting, user);
      return acting;
    },
    impersonatorOf: (user) => impersonators.get(user),
  };
}

async function identify(
  request: HttpRequest,
  options: AuthenticationOptions,
  certificateUser: (certificate: Buffer) => UserInfo,
): Promise<UserInfo> {
  if (request.clientCertificate) return authenticated(certificateUser(request.clientCertificate));
  const token = bearerToken(request);
  if (token === undefined) {
    if (options.anonymous === false) throw unauthorized();
    return anonymousUser;
  }
  try {
    for (const recognise of options.tokenAuthenticators) {
      const user = await recognise(token);
      if (user) return authenticated(user);
    }
  } catch (error) {
    options.log.info({ error: error instanceof Error ? error.message : String(error) }, 'token refused');
    if (error instanceof ApiError && error.code >= 500) throw error;
  }
  throw unauthorized();
}

/** Browsers cannot set headers on a WebSocket: the token may come as a subprotocol. */
const protocolPrefix = 'base64url.bearer.authorization.k8s.io.';

function bearerToken(request: HttpRequest): string | undefined {
  const header = request.headers.authorization?.trim();
  if (header !== undefined && header !== '') {
    const [scheme, token] = header.split(/ +/, 2);
    // Upstream ignores other schemes, and a bearer without a token: such a request is anonymous.
    return scheme!.toLowerCase() === 'bearer' && token ? token : undefined;
  }
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') return undefined;
  const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const encoded = protocols.find((protocol) => protocol.startsWith(protocolPrefix))?.slice(protocolPrefix.length);
  return encoded ? Buffer.from(encoded, 'base64url').toString() : undefined;
}

function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated')) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}

/** Common name = user, organizations = groups. A connection shows the same certificate at every request: read it once. */
function rememberCertificates(): (certificate: Buffer) => UserInfo {
  const byBuffer = new WeakMap<Buffer, UserInfo>();
  const byDigest = new Map<string, UserInfo>();
  return (certificate) => {
    const known = byBuffer.get(certificate);
    if (known) return known;
    const digest = createHash('sha256').update(certificate).digest('hex');
    const user = byDigest.get(digest) ?? userOfCertificate(certificate, digest);
    if (byDigest.size >= maxRememberedCertificates) byDigest.clear();
    byDigest.set(digest, user);
    byBuffer.set(certificate, user);
    return user;
  };
}

function userOfCertificate(certificate: Buffer, digest: string): UserInfo {
  const { commonName, organizations } = parseCertificate(certificate);
  if (commonName === '') throw unauthorized();
  return {
    name: commonName,
    groups: [...organizations, 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${digest}`] },
  };
}
