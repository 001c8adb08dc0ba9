// Signatures against AWS' published vectors, and every way to refuse one over the wire.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { virtualClock } from '#lib/virtual-clock.ts';
import type { Endpoint } from '#root/test/support/eks-endpoint.ts';
import { startEndpoint } from '#root/test/support/eks-endpoint.ts';
import { presign, signHeaders } from './sign.ts';
import { emptyPayloadHash, signatureOf, signingTexts } from './sigv4.ts';

test("AWS' own example gives AWS' own signature", () => {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html: ListUsers of 2015-08-30
  const scope = { accessKeyId: 'AKIDEXAMPLE', date: '20150830', region: 'us-east-1', service: 'iam' };
  const request = {
    method: 'GET',
    path: '/',
    query: 'Action=ListUsers&Version=2010-05-08',
    headers: {
      host: 'iam.amazonaws.com',
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-amz-date': '20150830T123600Z',
    },
  };
  const signature = {
    scope,
    amzDate: '20150830T123600Z',
    signedHeaders: ['content-type', 'host', 'x-amz-date'],
    signature: '',
    sessionToken: undefined,
    expiresSeconds: undefined,
  };
  const { stringToSign } = signingTexts(request, signature, emptyPayloadHash);
  assert.match(stringToSign, /f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59$/);
  const expected = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';
  assert.equal(signatureOf(stringToSign, 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', scope), expected);
});

interface Call {
  path?: string;
  query?: string;
  body?: string;
  method?: string;
  service?: string;
  region?: string;
  nowMs?: number;
  accessKeyId?: string;
  secretAccessKey?: string;
  sessionToken?: string;
  /** Changes the headers after signing. */
  tamper?: (headers: Record<string, string>) => void;
}

async function call({ endpoint, credentials }: Endpoint, options: Call = {}) {
  const { path = '/clusters', query = '', body = '', method = 'GET', service = 'eks', region = 'us-east-1', nowMs = Date.now() } = options;
  const url = new URL(endpoint);
  const keys = {
    accessKeyId: options.accessKeyId ?? credentials.accessKeyId,
    secretAccessKey: options.secretAccessKey ?? credentials.secretAccessKey,
    ...(options.sessionToken && { sessionToken: options.sessionToken }),
  };
  const form = service === 'eks' ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  const request = { method, path, query, headers: { host: url.host, ...form }, body: Buffer.from(body) };
  const headers = signHeaders(request, keys, { region, service, nowMs });
  options.tamper?.(headers);
  const response = await fetch(`${endpoint}${path}${query && '?'}${query}`, { method, headers, ...(body !== '' && { body }) });
  const text = await response.text();
  return { status: response.status, error: response.headers.get('x-amzn-errortype'), text };
}

const message = (text: string) => (JSON.parse(text) as { message: string }).message;

async function refused(t: TestContext, options: Call, error: string, says: string | RegExp) {
  const endpoint = await startEndpoint(t);
  const answer = await call(endpoint, options);
  assert.equal(answer.error, error);
  assert.ok(answer.status === 403 || answer.status === 400);
  if (typeof says === 'string') assert.equal(message(answer.text), says);
  else assert.match(message(answer.text), says);
}

test('a request without a signature is refused as AWS does, in each protocol', async (t) => {
  const { endpoint } = await startEndpoint(t);
  const json = await fetch(`${endpoint}/clusters`);
  assert.equal(json.status, 403);
  assert.equal(json.headers.get('x-amzn-errortype'), 'MissingAuthenticationTokenException');
  assert.deepEqual(await json.json(), { message: 'Missing Authentication Token' });
  const form = new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' });
  const xml = await fetch(endpoint, { method: 'POST', body: form });
  assert.equal(xml.status, 403);
  assert.match(await xml.text(), /<Code>MissingAuthenticationToken<\/Code><Message>Request is missing Authentication Token<\/Message>/);
});

test('a key that was never issued is refused', (t) =>
  refused(
    t,
    { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' },
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  ));

test('a wrong secret is refused with the texts that should have been signed', (t) =>
  refused(
    t,
    { secretAccessKey: 'wrong' },
    'InvalidSignatureException',
    /^The request signature we calculated does not match the signature you provided\. [^]*'GET\n\/clusters\n\nhost:127[^]*The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n/,
  ));

test('a body that was changed after signing is refused', async (t) => {
  const endpoint = await startEndpoint(t);
  const url = new URL(endpoint.endpoint);
  const request = { method: 'POST', path: '/clusters', query: '', headers: { host: url.host }, body: Buffer.from('{"name":"a"}') };
  const headers = signHeaders(request, endpoint.credentials, { region: 'us-east-1', service: 'eks', nowMs: Date.now() });
  const response = await fetch(`${endpoint.endpoint}/clusters`, { method: 'POST', headers, body: '{"name":"b"}' });
  assert.equal(response.headers.get('x-amzn-errortype'), 'InvalidSignatureException');
});

test('a signature of more than five minutes ago has expired', (t) =>
  refused(
    t,
    { nowMs: Date.now() - 6 * 60_000 },
    'InvalidSignatureException',
    /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
  ));

test('a signature from more than five minutes ahead is not yet current', (t) =>
  refused(
    t,
    { nowMs: Date.now() + 6 * 60_000 },
    'InvalidSignatureException',
    /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/,
  ));

test('a signature for another region or service is refused', async (t) => {
  await refused(t, { region: 'eu-west-1' }, 'InvalidSignatureException', /^Credential should be scoped to a valid region/);
  await refused(t, { service: 's3' }, 'InvalidSignatureException', /^Credential should be scoped to correct service: 'eks'/);
});

test('an Authorization header that lacks parts is refused', (t) =>
  refused(
    t,
    { tamper: (headers) => (headers.authorization = headers.authorization!.replace(/, Signature=.*/, '')) },
    'IncompleteSignatureException',
    /^Authorization header requires 'Signature' parameter\. /,
  ));

test('paths and queries are signed with their encoding', async (t) => {
  const endpoint = await startEndpoint(t);
  const path = `/tags/${encodeURIComponent('arn:aws:eks:us-east-1:123456789012:cluster/a b+c')}`;
  const tags = await call(endpoint, { path });
  assert.equal(tags.error, 'NotFoundException');
  const list = await call(endpoint, { query: 'maxResults=1&include=all&nextToken=' });
  assert.equal(list.error, 'InvalidParameterException');
  assert.equal(message(list.text), 'Invalid nextToken value');
});

test('malformed input is a SerializationException', async (t) => {
  const endpoint = await startEndpoint(t);
  const post = (body: string) => call(endpoint, { method: 'POST', body });
  assert.equal((await post('{"name":')).error, 'SerializationException');
  const wrongType = await post('{"name":7}');
  assert.equal(wrongType.error, 'SerializationException');
  assert.equal(message(wrongType.text), 'NUMBER_VALUE can not be converted to a String');
  const tooLarge = await post(`{"name":"${'x'.repeat(2 ** 20)}"}`);
  assert.equal(tooLarge.status, 413);
  const nowhere = await call(endpoint, { path: '/nowhere' });
  assert.equal(nowhere.status, 404);
  assert.equal(nowhere.error, 'UnknownOperationException');
});

test('a presigned request is accepted until it expires', async (t) => {
  const clock = virtualClock(Date.now());
  const endpoint = await startEndpoint(t, { clock });
  const target = { region: 'us-east-1', service: 'sts', nowMs: clock.now(), expiresSeconds: 60 };
  const url = new URL(`${endpoint.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15`);
  const signed = presign(url, {}, endpoint.credentials, target);
  assert.match(await (await fetch(signed)).text(), /<Arn>arn:aws:iam::123456789012:user\/admin<\/Arn>/);
  await clock.advance(61_000);
  const late = await fetch(signed);
  assert.equal(late.status, 403);
  assert.match(await late.text(), /<Code>SignatureDoesNotMatch<\/Code><Message>Signature expired/);
});
