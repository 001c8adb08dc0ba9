// Makes a container's image present by its pull policy; failing pulls back off for each pod and image. Texts are upstream's.
import type { Container, Pod } from '#api/generated/core-v1.ts';
import type { BackOff } from './backoff.ts';
import { backOffUntil, nextBackOff } from './backoff.ts';
import type { KubeletContext } from './context.ts';
import { tellPod } from './context.ts';
import { PullError } from './runtime/runtime.ts';
import type { Waiting } from './plan.ts';

type ImageResult = { imageId: string } | { waiting: Waiting; retryAtMs: number };

export interface ImageManager {
  /** Rejects with the signal's reason when aborted while a pull is under way. */
  ensure(pod: Pod, container: Container, signal: AbortSignal): Promise<ImageResult>;
  /** Drops what was remembered of a pod's failed pulls. */
  forget(podUid: string): void;
}

interface Failure {
  backOff: BackOff;
  message: string;
}

/** After a failed pull the pod is looked at again this soon, to say that it backs off. */
const secondLookMs = 1000;
const neverRetryMs = 10_000;

export function createImageManager(context: KubeletContext): ImageManager {
  const failures = new Map<string, Map<string, Failure>>();
  const pulls = new Map<string, ReturnType<typeof context.runtime.pullImage>>();
  const { clock, runtime } = context;

  /** Containers that want the same image at the same time share one pull. */
  const pull = (image: string): ReturnType<typeof context.runtime.pullImage> => {
    let running = pulls.get(image);
    if (running === undefined) {
      running = runtime.pullImage(image).finally(() => pulls.delete(image));
      pulls.set(image, running);
    }
    return running;
  };

  return {
    forget: (podUid) => void failures.delete(podUid),
    async ensure(pod, container, signal) {
      const named = container.image ?? '';
      const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
        tellPod(context, pod, { type, reason, message, container: container.name });
      const image = withTag(named);
      if (image === undefined) {
        const message = `Failed to apply default image tag "${named}": couldn't parse image name "${named}": invalid reference format`;
        tell('Warning', 'InspectFailed', message);
        return { waiting: { reason: 'InvalidImageName', message }, retryAtMs: clock.now() + neverRetryMs };
      }
      const policy = container.imagePullPolicy ?? (image.endsWith(':latest') ? 'Always' : 'IfNotPresent');
      if (policy !== 'Always') {
        const imageId = await runtime.imageId(image);
        if (imageId !== undefined) {
          tell('Normal', 'Pulled', `Container image "${named}" already present on machine and can be accessed by the pod`);
          return { imageId };
        }
        if (policy === 'Never') {
          const message = `Container image "${named}" is not present with pull policy of Never`;
          tell('Warning', 'ErrImageNeverPull', message);
          return { waiting: { reason: 'ErrImageNeverPull', message }, retryAtMs: clock.now() + neverRetryMs };
        }
      }
      const uid = pod.metadata.uid!;
      const earlier = failures.get(uid)?.get(named);
      const untilMs = earlier && backOffUntil(earlier.backOff, earlier.backOff.updatedAtMs, clock.now());
      if (earlier !== undefined && untilMs !== undefined) {
        const text = `Back-off pulling image "${named}"`;
        tell('Normal', 'BackOff', text);
        return { waiting: { reason: 'ImagePullBackOff', message: `${text}: ${earlier.message}` }, retryAtMs: untilMs };
      }
      tell('Normal', 'Pulling', `Pulling image "${named}"`);
      const startMs = clock.monotonicMs();
      try {
        const { imageId, bytes } = await unlessAborted(pull(image), signal);
        const took = durationText(clock.monotonicMs() - startMs);
        tell(
          'Normal',
          'Pulled',
          `Successfully pulled image "${named}" in ${took} (${took} including waiting). Image size: ${bytes} bytes.`,
        );
        failures.get(uid)?.delete(named);
        return { imageId };
      } catch (error) {
        if (signal.aborted) throw error;
        const detail = error instanceof Error ? error.message : String(error);
        tell('Warning', 'Failed', `Failed to pull image "${named}": ${detail}`);
        const reason = error instanceof PullError ? error.reason : 'ErrImagePull';
        const nowMs = clock.now();
        const byImage = failures.get(uid) ?? new Map<string, Failure>();
        failures.set(uid, byImage);
        byImage.set(named, { backOff: nextBackOff(earlier?.backOff, nowMs, nowMs), message: `${reason}: ${detail}` });
        return { waiting: { reason, message: detail }, retryAtMs: nowMs + secondLookMs };
      }
    },
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const domain = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`;
const part = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`;
const reference = new RegExp(
  `^(?:${domain}/)?${part}(?:/${part})*(:[\\w][\\w.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/** The reference with `:latest` where it has neither tag nor digest; undefined if it is none. */
function withTag(image: string): string | undefined {
  const match = reference.exec(image);
  if (match === null) return undefined;
  return match[1] === undefined && match[2] === undefined ? `${image}:latest` : image;
}

/** Milliseconds as Go prints a rounded duration: `12ms`, `1.5s`, `1m2.5s`. */
function durationText(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = Number(((whole % 60_000) / 1000).toFixed(3));
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
