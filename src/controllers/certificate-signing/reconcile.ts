// What each of upstream's signers signs, and for how long; the words are those of its refusals.
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import type { ParsedRequest } from '#lib/certificates.ts';

/** Why the request is not what its signer is for; undefined: it is. */
type Check = (request: ParsedRequest, usages: readonly string[]) => string | undefined;

export const signers: Readonly<Record<string, Check>> = {
  'kubernetes.io/kube-apiserver-client': (_request, usages) => clientUsageRefusal(usages),
  'kubernetes.io/kube-apiserver-client-kubelet': (request, usages) =>
    nodeRefusal(request) ??
    (request.dnsNames.length > 0 ? 'DNS subjectAltNames are not allowed' : undefined) ??
    (request.ipAddresses.length > 0 ? 'IP subjectAltNames are not allowed' : undefined) ??
    otherNameRefusal(request) ??
    usageRefusal(usages, 'client auth'),
  'kubernetes.io/kubelet-serving': (request, usages) =>
    nodeRefusal(request) ??
    (request.dnsNames.length + request.ipAddresses.length === 0 ? 'DNS or IP subjectAltName is required' : undefined) ??
    otherNameRefusal(request) ??
    usageRefusal(usages, 'server auth'),
};

/** Approved, and nobody has decided otherwise or signed it yet. */
export function isToBeSigned({ spec, status }: CertificateSigningRequest): boolean {
  const has = (type: string) => conditionOf(status?.conditions, type) !== undefined;
  return spec.signerName in signers && has('Approved') && !has('Denied') && !has('Failed') && !status?.certificate;
}

const leastMs = 600_000;
const longestMs = 365 * 86_400_000;

/** A year, or less where less is asked for. */
export function durationMsOf({ spec }: CertificateSigningRequest): number {
  if (spec.expirationSeconds === undefined) return longestMs;
  return Math.min(longestMs, Math.max(leastMs, spec.expirationSeconds * 1000));
}

function clientUsageRefusal(usages: readonly string[]): string | undefined {
  const wrong = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage));
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`;
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth';
}

function nodeRefusal({ commonName, organizations }: ParsedRequest): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes') return 'subject organization is not system:nodes';
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:';
}

function otherNameRefusal({ emailAddresses, uris }: ParsedRequest): string | undefined {
  if (emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  return uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined;
}

/** Key encipherment is for RSA keys only, so it may be missing. */
function usageRefusal(usages: readonly string[], purpose: 'client auth' | 'server auth'): string | undefined {
  const allowed = ['digital signature', 'key encipherment', purpose].sort();
  const isComplete = usages.includes('digital signature') && usages.includes(purpose) && usages.every((usage) => allowed.includes(usage));
  return isComplete ? undefined : `usages did not match [${allowed.join(' ')}]`;
}
