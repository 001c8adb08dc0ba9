// How a failed pull is told: Kubernetes' reasons, containerd's words.
import { PullError } from '../runtime.ts';
import { describe } from './cri-client.ts';

/**
 * Upstream's kubelet knows three reasons, and containerd's answers lead to one of them: an image that is not there, a registry that
 * does not answer and one that refuses are all ErrImagePull; the message tells which.
 */
export function pullErrorOf(image: string, error: unknown): PullError {
  const message = describe(error);
  if (/invalid reference format|failed to parse image reference|invalid image reference/i.test(message)) {
    const cause = /invalid reference format(: [^"]*)?/.exec(message)?.[0] ?? 'invalid reference format';
    return new PullError(
      'InvalidImageName',
      `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${cause}`,
      {
        cause: error,
      },
    );
  }
  if (message.includes('desc = RegistryUnavailable')) return new PullError('RegistryUnavailable', message, { cause: error });
  return new PullError('ErrImagePull', message, { cause: error });
}
