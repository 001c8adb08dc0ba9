// A cluster's own keys: the authority that signs its certificates and the key that signs service account tokens. Made once, kept for its life.
import type { Authority, Issuing, PemPair } from '#lib/certificates.ts';
import { createAuthority, createKeyPair, issueServing } from '#lib/certificates.ts';

export interface ClusterIdentity {
  authority: Authority;
  /** PEM of the private key. */
  serviceAccountKey: string;
}

export async function createClusterIdentity(issuing: Issuing): Promise<ClusterIdentity> {
  const [authority, { privateKey }] = await Promise.all([createAuthority({ ...issuing, commonName: 'kubernetes' }), createKeyPair()]);
  return { authority, serviceAccountKey: privateKey };
}

/** The API server's certificate: every name and address by which clients inside and outside the cluster know it. */
export function issueServerCertificate({ authority }: ClusterIdentity, issuing: Issuing, addresses: readonly string[]): Promise<PemPair> {
  const dnsNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost'];
  return issueServing(authority, {
    ...issuing,
    commonName: 'kube-apiserver',
    dnsNames,
    ipAddresses: [...new Set(['127.0.0.1', '::1', ...addresses])],
  });
}
