// Signs approved certificate requests for the signers that are the cluster's own; the key stays with whoever hands the function in.
import type { CertificateSigningRequest } from '#api/generated/certificates-v1.ts';
import { certificatesigningrequests } from '#api/generated/resources.ts';
import type { ParsedRequest } from '#lib/certificates.ts';
import { parseRequest } from '#lib/certificates.ts';
import { toTime } from '#lib/clock.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { messageOf } from '../runtime/failures.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import { durationMsOf, isToBeSigned, signers } from './reconcile.ts';

/** Answers the certificate for a request, both PEM. */
export type SignRequest = (request: string, options: { usages: readonly string[]; durationMs: number }) => Promise<string>;

export function certificateSigning(sign: SignRequest): Controller {
  return {
    name: 'certificate-signing',
    serviceAccount: 'certificate-controller',
    start(context) {
      const requests = context.informers.informer(certificatesigningrequests);
      const reconciler = startReconciler(context, {
        name: 'certificate-signing',
        waitFor: [requests],
        workers: 1,
        async reconcile(name) {
          const request = requests.get(name);
          if (request === undefined || !isToBeSigned(request)) return;
          const status = await answerTo(request, sign, context);
          await context.client.update(certificatesigningrequests, { ...request, status }, { subresource: 'status' });
        },
      });
      const enqueue = (request: CertificateSigningRequest): void => {
        if (isToBeSigned(request)) reconciler.enqueue(request.metadata.name!);
      };
      return stopTogether([requests.addHandlers({ added: enqueue, updated: (_old, request) => enqueue(request) })], [reconciler]);
    },
  };
}

type Status = NonNullable<CertificateSigningRequest['status']>;

/** The certificate, or why there will be none. */
async function answerTo(request: CertificateSigningRequest, sign: SignRequest, { clock }: ControllerContext): Promise<Status> {
  const { signerName, usages = [] } = request.spec;
  const pem = Buffer.from(request.spec.request, 'base64').toString();
  const parsed = await read(pem);
  const refusal = typeof parsed === 'string' ? parsed : signers[signerName]!(parsed, usages);
  if (refusal === undefined) {
    const certificate = await sign(pem, { usages, durationMs: durationMsOf(request) });
    return { ...request.status, certificate: Buffer.from(certificate).toString('base64') };
  }
  const now = toTime(clock.now());
  const reason = 'SignerValidationFailure';
  const failed = { type: 'Failed', status: 'True', reason, message: refusal, lastUpdateTime: now, lastTransitionTime: now };
  return { ...request.status, conditions: [...(request.status?.conditions ?? []), failed] };
}

/** What is asked for, or what is wrong with it: the API server looked only at the frame. */
async function read(pem: string): Promise<ParsedRequest | string> {
  try {
    return await parseRequest(pem);
  } catch (error) {
    return messageOf(error);
  }
}
