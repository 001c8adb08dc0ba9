// Who signed this request? Answers the principal, or throws the error that AWS answers in the protocol's own code.
import { AwsError } from './aws-error.ts';
import type { CredentialStore, Principal } from './credentials.ts';
import type { CredentialScope, SignableRequest, Signature, SigningTexts } from './sigv4.ts';
import { algorithm, parseAmzDate, queryPairs, sameSignature, sha256, signatureOf, signingTexts, toAmzDate } from './sigv4.ts';

const toleranceMs = 5 * 60_000;

/** The codes that a protocol uses for the same refusal. */
export interface SignatureDialect {
  missing: { code: string; message: string };
  unknownKey: string;
  mismatch: string;
  incomplete: string;
  expiredToken: string;
}

export const jsonDialect: SignatureDialect = {
  missing: { code: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
  unknownKey: 'UnrecognizedClientException',
  mismatch: 'InvalidSignatureException',
  incomplete: 'IncompleteSignatureException',
  expiredToken: 'ExpiredTokenException',
};

export const queryDialect: SignatureDialect = {
  missing: { code: 'MissingAuthenticationToken', message: 'Request is missing Authentication Token' },
  unknownKey: 'InvalidClientTokenId',
  mismatch: 'SignatureDoesNotMatch',
  incomplete: 'IncompleteSignature',
  expiredToken: 'ExpiredToken',
};

export interface VerifyOptions {
  credentials: CredentialStore;
  nowMs: number;
  dialect: SignatureDialect;
  service: string;
  regions: readonly string[];
}

/** A signed request's principal, be it signed in the Authorization header or in the query. */
export function verifyRequest(request: SignableRequest, body: Buffer, options: VerifyOptions): Principal {
  const { dialect } = options;
  const presigned = request.query.includes('X-Amz-Signature=');
  const authorization = request.headers.authorization;
  if (!presigned && !authorization) throw new AwsError(dialect.missing.code, 403, dialect.missing.message);
  const signature = presigned ? signatureFromQuery(request, dialect) : signatureFromHeader(request, authorization!, dialect);
  checkScope(signature, options);
  checkTime(signature, options);
  const unsigned = request.headers['x-amz-content-sha256'] === 'UNSIGNED-PAYLOAD';
  return verifySignature(request, signature, unsigned ? 'UNSIGNED-PAYLOAD' : sha256(body), options);
}

/** Compares the signature alone: scope and times have been looked at. */
export function verifySignature(
  request: SignableRequest,
  signature: Signature,
  payloadHash: string,
  options: Pick<VerifyOptions, 'credentials' | 'nowMs' | 'dialect'>,
): Principal {
  const { dialect } = options;
  const found = options.credentials.find(signature.scope.accessKeyId, signature.sessionToken, options.nowMs);
  if (found === 'unknown') throw new AwsError(dialect.unknownKey, 403, 'The security token included in the request is invalid.');
  if (found === 'expired') throw new AwsError(dialect.expiredToken, 403, 'The security token included in the request is expired');
  const texts = signingTexts(request, signature, payloadHash);
  const expected = signatureOf(texts.stringToSign, found.secretAccessKey, signature.scope);
  if (!sameSignature(expected, signature.signature)) throw new AwsError(dialect.mismatch, 403, mismatchMessage(texts));
  return found.principal;
}

function mismatchMessage(texts: SigningTexts): string {
  return (
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. ' +
    'Consult the service documentation for details.\n\n' +
    `The Canonical String for this request should have been\n'${texts.canonicalRequest}'\n\n` +
    `The String-to-Sign should have been\n'${texts.stringToSign}'\n`
  );
}

function signatureFromHeader(request: SignableRequest, authorization: string, dialect: SignatureDialect): Signature {
  const incomplete = (message: string) => new AwsError(dialect.incomplete, 400, message);
  if (!authorization.startsWith(`${algorithm} `)) throw incomplete("Unsupported AWS 'algorithm': expected AWS4-HMAC-SHA256."); // prettier-ignore
  const parameters = new Map<string, string>();
  for (const part of authorization.slice(algorithm.length).split(',')) {
    const [name, ...value] = part.trim().split('=');
    parameters.set(name!, value.join('='));
  }
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !parameters.get(name));
  const amzDate = request.headers['x-amz-date'] ?? amzDateOf(request.headers.date);
  if (missing.length > 0 || amzDate === undefined) {
    const complaints = missing.map((name) => `Authorization header requires '${name}' parameter. `);
    if (amzDate === undefined) complaints.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    throw incomplete(`${complaints.join('')}Authorization=${algorithm}`);
  }
  return {
    scope: parseScope(parameters.get('Credential')!, dialect),
    amzDate,
    signedHeaders: parameters.get('SignedHeaders')!.split(';'),
    signature: parameters.get('Signature')!,
    sessionToken: request.headers['x-amz-security-token'],
    expiresSeconds: undefined,
  };
}

export function signatureFromQuery(request: SignableRequest, dialect: SignatureDialect): Signature {
  const pairs = new Map(queryPairs(request.query));
  const required = (name: string): string => {
    const value = pairs.get(name);
    if (value) return value;
    throw new AwsError(
      dialect.incomplete,
      400,
      `AWS query-string parameters must include '${name}'. Re-examine the query-string parameters.`,
    );
  };
  if (required('X-Amz-Algorithm') !== algorithm)
    throw new AwsError(dialect.incomplete, 400, `Unsupported AWS 'algorithm': '${pairs.get('X-Amz-Algorithm')}'.`); // prettier-ignore
  const expires = pairs.get('X-Amz-Expires');
  return {
    scope: parseScope(required('X-Amz-Credential'), dialect),
    amzDate: required('X-Amz-Date'),
    signedHeaders: required('X-Amz-SignedHeaders').split(';'),
    signature: required('X-Amz-Signature'),
    sessionToken: pairs.get('X-Amz-Security-Token'),
    expiresSeconds: expires === undefined ? undefined : Number(expires),
  };
}

function parseScope(credential: string, dialect: SignatureDialect): CredentialScope {
  const parts = credential.split('/');
  if (parts.length !== 5 || parts[4] !== 'aws4_request') {
    throw new AwsError(
      dialect.incomplete,
      400,
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    );
  }
  return { accessKeyId: parts[0]!, date: parts[1]!, region: parts[2]!, service: parts[3]! };
}

function checkScope({ scope, amzDate, signedHeaders }: Signature, { dialect, service, regions }: VerifyOptions): void {
  const refuse = (message: string) => new AwsError(dialect.mismatch, 403, message);
  if (!signedHeaders.includes('host')) throw refuse("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  if (!regions.includes(scope.region)) throw refuse(`Credential should be scoped to a valid region, not '${scope.region}'. `);
  if (scope.service !== service) throw refuse(`Credential should be scoped to correct service: '${service}'. `);
  if (scope.date !== amzDate.slice(0, 8)) {
    throw refuse(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
    );
  }
}

function checkTime({ amzDate, expiresSeconds }: Signature, { dialect, nowMs }: VerifyOptions): void {
  const signedMs = parseAmzDate(amzDate);
  if (signedMs === undefined) {
    throw new AwsError(
      dialect.incomplete,
      400,
      `Date must be in ISO-8601 'basic format'. Got '${amzDate}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    );
  }
  if (signedMs > nowMs + toleranceMs) {
    const bound = toAmzDate(nowMs + toleranceMs);
    const text = `Signature not yet current: ${amzDate} is still later than ${bound} (${toAmzDate(nowMs)} + 5 min.)`;
    throw new AwsError(dialect.mismatch, 403, text);
  }
  const lifeMs = expiresSeconds === undefined ? toleranceMs : expiresSeconds * 1000;
  if (signedMs + lifeMs < nowMs) {
    const bound = toAmzDate(nowMs - lifeMs);
    const text = `Signature expired: ${amzDate} is now earlier than ${bound} (${toAmzDate(nowMs)} - ${expiresSeconds === undefined ? '5 min.' : `${expiresSeconds} s`})`;
    throw new AwsError(dialect.mismatch, 403, text);
  }
}

function amzDateOf(date: string | undefined): string | undefined {
  const ms = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(ms) ? undefined : toAmzDate(ms);
}
