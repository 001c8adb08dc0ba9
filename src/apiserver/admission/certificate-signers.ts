// CertificateApproval and CertificateSigning: who approves or signs a request needs that right for the request's signer.
import type { Authorizer } from '#api/meta/access.ts';
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import { certificatesigningrequests } from '#api/generated/resources.ts';
import { isEqual } from '#api/meta/meta-validation.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isOf, refuse } from './plugin.ts';

export function certificateSigners(authorize: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    operations: ['UPDATE'],
    validate(request) {
      if (!isOf(request, certificatesigningrequests)) return;
      const verb = verbOf(request);
      if (verb === undefined) return;
      const { signerName } = (request.old as CertificateSigningRequest).spec;
      if (mayUse(authorize, request, verb, signerName)) return;
      throw refuse(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
    },
  };
}

function verbOf({ subresource, object, old }: AdmissionRequest): 'approve' | 'sign' | undefined {
  if (subresource === 'approval') return 'approve';
  if (subresource !== 'status') return undefined;
  const [now, before] = [(object as CertificateSigningRequest).status, (old as CertificateSigningRequest).status];
  const isSame = isEqual(now?.certificate, before?.certificate) && isEqual(now?.conditions, before?.conditions);
  return isSame ? undefined : 'sign';
}

/** The right may be for one signer or for all of its domain. */
function mayUse(authorize: Authorizer, { user }: AdmissionRequest, verb: string, signerName: string): boolean {
  const names = [signerName, `${signerName.split('/', 1)[0]}/*`];
  const signers = { isResourceRequest: true, group: 'certificates.k8s.io', version: '*', resource: 'signers', subresource: '' };
  return names.some((name) => authorize({ user, verb, ...signers, namespace: '', name, path: '' }).decision === 'allow');
}
