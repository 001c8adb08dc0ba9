// Signing as a client does it: requests of our own command line, and the presigned URL inside an EKS token.
import type { SignableRequest, Signature } from './sigv4.ts';
import { algorithm, emptyPayloadHash, sha256, signatureOf, signingTexts, toAmzDate, uriEncode } from './sigv4.ts';

export interface SigningCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface SigningTarget {
  region: string;
  service: string;
  nowMs: number;
}

/** The headers to send with a request: its own plus X-Amz-Date and Authorization. `headers` must name the host. */
export function signHeaders(
  request: SignableRequest & { body: Buffer },
  credentials: SigningCredentials,
  target: SigningTarget,
): Record<string, string> {
  const amzDate = toAmzDate(target.nowMs);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers[name] = value;
  headers['x-amz-date'] = amzDate;
  if (credentials.sessionToken) headers['x-amz-security-token'] = credentials.sessionToken;
  const signature = unsigned(credentials, target, amzDate, Object.keys(headers).sort());
  const { stringToSign } = signingTexts({ ...request, headers }, signature, sha256(request.body));
  const { date, region, service } = signature.scope;
  headers.authorization =
    `${algorithm} Credential=${credentials.accessKeyId}/${date}/${region}/${service}/aws4_request, ` +
    `SignedHeaders=${signature.signedHeaders.join(';')}, Signature=${signatureOf(stringToSign, credentials.secretAccessKey, signature.scope)}`;
  return headers;
}

/** A GET URL that carries its own signature, valid for `expiresSeconds`. `signedHeaders` must be sent along with it. */
export function presign(
  url: URL,
  signedHeaders: Record<string, string>,
  credentials: SigningCredentials,
  target: SigningTarget & { expiresSeconds: number },
): string {
  const amzDate = toAmzDate(target.nowMs);
  const headers: Record<string, string> = { host: url.host, ...signedHeaders };
  const names = Object.keys(headers).sort();
  const signature = unsigned(credentials, target, amzDate, names);
  const { date, region, service } = signature.scope;
  const pairs: [string, string][] = [
    ...url.searchParams,
    ['X-Amz-Algorithm', algorithm],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${date}/${region}/${service}/aws4_request`],
    ['X-Amz-Date', amzDate],
    ['X-Amz-Expires', String(target.expiresSeconds)],
    ['X-Amz-SignedHeaders', names.join(';')],
    ...(credentials.sessionToken ? ([['X-Amz-Security-Token', credentials.sessionToken]] as [string, string][]) : []),
  ];
  const query = pairs.map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).join('&');
  const { stringToSign } = signingTexts({ method: 'GET', path: url.pathname, query, headers }, signature, emptyPayloadHash);
  return `${url.origin}${url.pathname}?${query}&X-Amz-Signature=${signatureOf(stringToSign, credentials.secretAccessKey, signature.scope)}`;
}

function unsigned(credentials: SigningCredentials, target: SigningTarget, amzDate: string, signedHeaders: string[]): Signature {
  return {
    scope: { accessKeyId: credentials.accessKeyId, date: amzDate.slice(0, 8), region: target.region, service: target.service },
    amzDate,
    signedHeaders,
    signature: '',
    sessionToken: undefined,
    expiresSeconds: undefined,
  };
}
