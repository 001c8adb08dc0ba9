// Signature Version 4: computes what a request must have been signed with and compares. Nothing is ever fetched.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignableRequest {
  method: string;
  /** As on the wire, without the query. */
  path: string;
  /** As on the wire, without the question mark. */
  query: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
}

export interface CredentialScope {
  accessKeyId: string;
  /** yyyymmdd */
  date: string;
  region: string;
  service: string;
}

/** The signature of a request, taken apart; `amzDate` is yyyymmddThhmmssZ. */
export interface Signature {
  scope: CredentialScope;
  amzDate: string;
  signedHeaders: readonly string[];
  signature: string;
  sessionToken: string | undefined;
  /** Presigned queries only: seconds. */
  expiresSeconds: number | undefined;
}

export const algorithm = 'AWS4-HMAC-SHA256';
export const emptyPayloadHash = sha256('');

/** What was signed, as AWS' error message shows it. */
export interface SigningTexts {
  canonicalRequest: string;
  stringToSign: string;
}

/** The texts that a request's signature is made from. `payloadHash` is the hex SHA-256 of the body or UNSIGNED-PAYLOAD. */
export function signingTexts(request: SignableRequest, signature: Signature, payloadHash: string): SigningTexts {
  const canonicalRequest = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    ...signature.signedHeaders.map((name) => `${name}:${canonicalHeaderValue(request.headers[name])}`),
    '',
    signature.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  const { date, region, service } = signature.scope;
  const stringToSign = [algorithm, signature.amzDate, `${date}/${region}/${service}/aws4_request`, sha256(canonicalRequest)].join('\n');
  return { canonicalRequest, stringToSign };
}

export function signatureOf(stringToSign: string, secretAccessKey: string, scope: CredentialScope): string {
  const dateKey = hmac(`AWS4${secretAccessKey}`, scope.date);
  const signingKey = hmac(hmac(hmac(dateKey, scope.region), scope.service), 'aws4_request');
  return createHmac('sha256', signingKey).update(stringToSign).digest('hex');
}

export function sameSignature(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Services other than S3 sign the path with its percent signs encoded once more, dot segments resolved. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const normal = `/${segments.join('/')}${path.endsWith('/') && segments.length > 0 ? '/' : ''}`;
  return normal.split('/').map(uriEncode).join('/');
}

function canonicalQuery(query: string): string {
  return queryPairs(query)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Decoded pairs of a query. A plus sign is itself, as AWS' signers write spaces as %20. */
export function queryPairs(query: string): [name: string, value: string][] {
  if (query === '') return [];
  return query.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not an encoding at all: the signature will not match.
  }
}

function canonicalHeaderValue(value: string | undefined): string {
  return (value ?? '').trim().replace(/\s+/g, ' ');
}

/** RFC 3986: everything but unreserved characters. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** yyyymmddThhmmssZ */
export function toAmzDate(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Milliseconds of yyyymmddThhmmssZ; undefined if it is none. */
export function parseAmzDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
