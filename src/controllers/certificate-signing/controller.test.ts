// Certificate requests on a real API server: what is approved is signed, and only that.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import { certificatesigningrequests } from '#api/generated/resources.ts';
import { createAuthority, createRequest, parseCertificate, signRequest } from '#lib/certificates.ts';
import { systemRandom } from '#lib/random.ts';
import type { TestCluster } from '#root/test/support/controllers-cluster.ts';
import { startTestCluster } from '#root/test/support/controllers-cluster.ts';
import { certificateSigning } from './controller.ts';

let cluster: TestCluster;
let signed: string[];
beforeEach(async () => {
  signed = [];
  const issuing = () => ({ clock: cluster.clock, random: systemRandom });
  let authority: ReturnType<typeof createAuthority> | undefined;
  cluster = await startTestCluster([
    certificateSigning(async (request, options) => {
      signed.push(request);
      authority ??= createAuthority({ ...issuing(), commonName: 'kubernetes' });
      return signRequest(await authority, request, { ...issuing(), ...options });
    }),
  ]);
});
afterEach(() => cluster.stop());

interface Asked {
  signer: string;
  usages: string[];
  commonName?: string;
  organizations?: string[];
  dnsNames?: string[];
  ipAddresses?: string[];
  expirationSeconds?: number;
}

async function decided(name: string, { signer, usages, expirationSeconds, ...asked }: Asked, decision = 'Approved') {
  const { commonName = 'jane', organizations } = asked;
  const { request } = await createRequest({ commonName, ...(organizations && { organizations }) }, asked);
  const spec = {
    signerName: signer,
    usages,
    request: Buffer.from(request).toString('base64'),
    ...(expirationSeconds && { expirationSeconds }),
  };
  const made = await cluster.client.create(certificatesigningrequests, { metadata: { name }, spec });
  const conditions = [{ type: decision, status: 'True', reason: 'Test' }];
  await cluster.client.update(certificatesigningrequests, { ...made, status: { conditions } }, { subresource: 'approval' });
  return answer(name);
}

/** Signing is real work off the virtual clock: wait for the object to say something. */
async function answer(name: string): Promise<CertificateSigningRequest> {
  for (let round = 0; ; round++) {
    await cluster.settle();
    const request = await cluster.client.get(certificatesigningrequests, { name });
    const isOver = request.status?.certificate !== undefined || request.status?.conditions?.some(({ type }) => type !== 'Approved');
    if (isOver || round === 200) return request;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const certificateOf = ({ status }: CertificateSigningRequest) => parseCertificate(Buffer.from(status!.certificate!, 'base64'));
const failureOf = ({ status }: CertificateSigningRequest) => status?.conditions?.find(({ type }) => type === 'Failed')?.message;
const client = 'kubernetes.io/kube-apiserver-client';
const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet';
const serving = 'kubernetes.io/kubelet-serving';
const node = { commonName: 'system:node:a', organizations: ['system:nodes'] };

test('an approved request of a client becomes a certificate for as long as it asked', async () => {
  const request = await decided('jane', { signer: client, usages: ['client auth'], organizations: ['dev'], expirationSeconds: 3600 });
  const { commonName, organizations, notAfterMs } = certificateOf(request);
  assert.deepEqual({ commonName, organizations }, { commonName: 'jane', organizations: ['dev'] });
  assert.ok(Math.abs(notAfterMs - cluster.clock.now() - 3_600_000) < 60_000);
});

test('a denied request, and one for a signer of somebody else, stay unsigned', async () => {
  await decided('denied', { signer: client, usages: ['client auth'] }, 'Denied');
  const request = await cluster.client.create(certificatesigningrequests, {
    metadata: { name: 'foreign' },
    spec: { ...(await cluster.client.get(certificatesigningrequests, { name: 'denied' })).spec, signerName: 'example.com/own' },
  });
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Test' }];
  await cluster.client.update(certificatesigningrequests, { ...request, status: { conditions } }, { subresource: 'approval' });
  await cluster.settle();
  assert.deepEqual(signed, []);
});

test('nodes get client and serving certificates with their names', async () => {
  const usages = ['digital signature', 'key encipherment'];
  assert.equal(
    certificateOf(await decided('a', { signer: kubelet, usages: [...usages, 'client auth'], ...node })).commonName,
    'system:node:a',
  );
  const names = { dnsNames: ['a.example.com'], ipAddresses: ['10.0.0.1'] };
  const certificate = certificateOf(await decided('b', { signer: serving, usages: [...usages, 'server auth'], ...node, ...names }));
  assert.deepEqual([certificate.dnsNames, certificate.ipAddresses], [['a.example.com'], ['10.0.0.1']]);
});

test("what is not the signer's fails, and says why", async () => {
  const usages = ['digital signature', 'client auth'];
  const failures: [Asked, RegExp][] = [
    [{ signer: client, usages: ['server auth'] }, /^invalid usage for client certificate: server auth$/],
    [{ signer: client, usages: ['digital signature'] }, /^missing required usage for client certificate: client auth$/],
    [{ signer: kubelet, usages, ...node, organizations: ['dev'] }, /^subject organization is not system:nodes$/],
    [{ signer: kubelet, usages, ...node, commonName: 'a' }, /^subject common name does not begin with system:node:$/],
    [{ signer: kubelet, usages, ...node, dnsNames: ['a'] }, /^DNS subjectAltNames are not allowed$/],
    [{ signer: kubelet, usages: ['client auth'], ...node }, /^usages did not match \[client auth digital signature key encipherment\]$/],
    [{ signer: serving, usages: ['digital signature', 'server auth'], ...node }, /^DNS or IP subjectAltName is required$/],
  ];
  for (const [position, [asked, message]] of failures.entries()) {
    assert.match(failureOf(await decided(`wrong-${position}`, asked)) ?? 'no failure', message);
  }
  assert.deepEqual(signed, []);
});
