// Certificates are checked with OpenSSL's eyes (node:crypto) and with a real TLS handshake in http/server.test.ts.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  createAuthority,
  createKeyPair,
  createRequest,
  issueClient,
  issueServing,
  parseCertificate,
  parseRequest,
  signRequest,
} from './certificates.ts';
import { systemClock } from './clock.ts';
import { seededRandom } from './random.ts';

const issuing = { clock: systemClock, random: seededRandom(7) };

test('an authority signs a serving certificate with names and addresses', async () => {
  const authority = await createAuthority({ ...issuing, commonName: 'kubernetes' });
  const pair = await issueServing(authority, {
    ...issuing,
    commonName: 'kube-apiserver',
    dnsNames: ['kubernetes', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1', '10.100.0.1'],
  });
  const ca = new X509Certificate(authority.certificate);
  const leaf = new X509Certificate(pair.certificate);
  assert.ok(ca.ca && leaf.checkIssued(ca) && leaf.verify(ca.publicKey) && !leaf.ca);
  const parsed = parseCertificate(pair.certificate);
  assert.deepEqual(parsed.dnsNames, ['kubernetes', 'kubernetes.default.svc']);
  assert.deepEqual(parsed.ipAddresses, ['127.0.0.1', '10.100.0.1']);
  assert.equal(parsed.commonName, 'kube-apiserver');
});

test('a client certificate carries the user and all groups, also strange ones', async () => {
  const authority = await createAuthority({ ...issuing, commonName: 'kubernetes' });
  const pair = await issueClient(authority, { ...issuing, commonName: 'jane, doe\nO=system:masters', organizations: ['a', 'b=c, d'] });
  const { commonName, organizations } = parseCertificate(new X509Certificate(pair.certificate).raw);
  assert.equal(commonName, 'jane, doe\nO=system:masters');
  assert.deepEqual(organizations, ['a', 'b=c, d']);
  assert.deepEqual(new X509Certificate(pair.certificate).keyUsage, ['1.3.6.1.5.5.7.3.2']);
});

test('a signed request keeps its subject and names, takes the usages, and does not outlive the authority', async () => {
  const authority = await createAuthority({ ...issuing, commonName: 'kubernetes', validDays: 10 });
  const { request, key } = await createRequest(
    { commonName: 'system:node:a', organizations: ['system:nodes'] },
    { dnsNames: ['a.local'], ipAddresses: ['10.0.0.7'] },
  );
  assert.deepEqual(await parseRequest(request), {
    commonName: 'system:node:a',
    organizations: ['system:nodes'],
    dnsNames: ['a.local'],
    ipAddresses: ['10.0.0.7'],
    emailAddresses: [],
    uris: [],
  });
  const pem = await signRequest(authority, request, {
    ...issuing,
    usages: ['digital signature', 'server auth'],
    durationMs: 86_400_000 * 365,
  });
  const leaf = new X509Certificate(pem);
  assert.ok(leaf.verify(new X509Certificate(authority.certificate).publicKey));
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.equal(Date.parse(leaf.validTo), Date.parse(new X509Certificate(authority.certificate).validTo));
  assert.deepEqual(parseCertificate(pem).dnsNames, ['a.local']);
  assert.match(key, /BEGIN PRIVATE KEY/);
});

test('a certificate for a purpose alone does not forbid the uses that its key has', async () => {
  const authority = await createAuthority({ ...issuing, commonName: 'kubernetes' });
  const { request } = await createRequest({ commonName: 'jane' });
  const keyUsage = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x0f]);
  const has = async (usages: string[]) => {
    const pem = await signRequest(authority, request, { ...issuing, usages, durationMs: 3_600_000 });
    return new X509Certificate(pem).raw.includes(keyUsage);
  };
  assert.deepEqual([await has(['client auth']), await has(['digital signature', 'client auth'])], [false, true]);
});

test('a request that is not one, or whose signature is false, is refused', async () => {
  await assert.rejects(parseRequest('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'));
  const { request } = await createRequest({ commonName: 'eve' });
  const der = Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const at = der.indexOf('eve');
  der.write('bob', at);
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await assert.rejects(parseRequest(forged), /signature/);
});

test('a key pair comes as PEM', async () => {
  const { privateKey, publicKey } = await createKeyPair();
  assert.match(privateKey, /BEGIN PRIVATE KEY/);
  assert.match(publicKey, /BEGIN PUBLIC KEY/);
});
