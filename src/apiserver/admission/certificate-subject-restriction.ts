// CertificateSubjectRestriction: nobody becomes a superuser by asking the cluster for a certificate.
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import { certificatesigningrequests } from '#api/generated/resources.ts';
import { parseRequest } from '#lib/certificates.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { isFor, refuse } from './plugin.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';
const superusers = 'system:masters';

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  operations: ['CREATE'],
  async validate(request) {
    if (!isFor(request, certificatesigningrequests)) return;
    const { spec } = request.object as CertificateSigningRequest;
    if (spec.signerName !== clientSigner) return;
    const { organizations } = await parseRequest(Buffer.from(spec.request, 'base64').toString());
    if (organizations.includes(superusers)) throw refuse(request, `use of ${clientSigner} signer with ${superusers} group is not allowed`);
  },
};
