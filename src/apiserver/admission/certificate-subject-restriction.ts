// CertificateSubjectRestriction: nobody becomes a superuser by asking the cluster for a certificate.
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import { certificatesigningrequests } from '#api/generated/resources.ts';
import { invalid } from '#api/meta/errors.ts';
import { invalidValue } from '#api/meta/field-errors.ts';
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
    const { spec, metadata } = request.object as CertificateSigningRequest;
    // Upstream reads it in validation already; here reading waits, and validation cannot.
    const { organizations } = await parseRequest(Buffer.from(spec.request, 'base64').toString()).catch((error: Error) => {
      const detail = `unable to parse csr: ${error.message}`;
      throw invalid(certificatesigningrequests, metadata.name!, [invalidValue('spec.request', spec.request, detail)]);
    });
    if (spec.signerName === clientSigner && organizations.includes(superusers))
      throw refuse(request, `use of ${clientSigner} signer with ${superusers} group is not allowed`);
  },
};
