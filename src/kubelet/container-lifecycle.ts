// Starts and stops one container, with its image, configuration, hooks and events.
import { rm, stat, writeFile } from 'node:fs/promises';
import type { Container, Pod } from '#api/generated/core-v1.ts';
import { containerConfig } from './container-config.ts';
import type { KubeletContext } from './context.ts';
import { tellPod } from './context.ts';
import { hostsPath } from './directories.ts';
import { ConfigError } from './env.ts';
import { hostsFile } from './hosts-file.ts';
import { runHook } from './hooks.ts';
import type { ImageManager } from './images.ts';
import type { Waiting } from './plan.ts';
import type { SandboxConfig, SandboxInfo } from './runtime/runtime.ts';
import type { MountedVolumes } from './volumes/volume-manager.ts';
import { checkNonRoot } from './security.ts';

export interface StartRequest {
  pod: Pod;
  container: Container;
  attempt: number;
  sandbox: SandboxInfo;
  sandboxConfig: SandboxConfig;
  podIps: readonly string[];
  volumes: MountedVolumes;
  signal: AbortSignal;
}

/** Undefined: it runs. Else why it does not, and when to try again. */
export type StartFailure = { waiting: Waiting; retryAtMs: number } | undefined;

const retryMs = 10_000;

export async function startContainer(request: StartRequest, images: ImageManager, context: KubeletContext): Promise<StartFailure> {
  const { pod, container, sandbox, sandboxConfig, signal } = request;
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    tellPod(context, pod, { type, reason, message, container: container.name });
  const failed = (reason: string, error: unknown): StartFailure => {
    const message = error instanceof Error ? error.message : String(error);
    tell('Warning', 'Failed', `Error: ${message}`);
    return { waiting: { reason, message }, retryAtMs: context.clock.now() + retryMs };
  };

  const image = await images.ensure(pod, container, signal);
  if ('waiting' in image) {
    tell('Warning', 'Failed', `Error: ${image.waiting.reason}`);
    return image;
  }
  signal.throwIfAborted();
  let containerId: string;
  try {
    checkNonRoot(pod, container, await context.runtime.imageUser?.(image.imageId));
    const config = await containerConfig(request, context);
    signal.throwIfAborted();
    containerId = await context.runtime.createContainer(sandbox.id, config, sandboxConfig);
  } catch (error) {
    if (signal.aborted) throw error;
    return failed(error instanceof ConfigError ? 'CreateContainerConfigError' : 'CreateContainerError', error);
  }
  tell('Normal', 'Created', 'Container created');
  try {
    await context.runtime.startContainer(containerId);
  } catch (error) {
    return failed('RunContainerError', error);
  }
  tell('Normal', 'Started', 'Container started');
  return postStart(request, containerId, context);
}

async function postStart({ pod, container, podIps }: StartRequest, containerId: string, context: KubeletContext): Promise<StartFailure> {
  const hook = container.lifecycle?.postStart;
  if (hook === undefined) return undefined;
  try {
    await runHook(hook, { containerId, container, podIp: podIps[0] }, context);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tellPod(context, pod, {
      type: 'Warning',
      reason: 'FailedPostStartHook',
      message: `PostStartHook failed: ${message}`,
      container: container.name,
    });
    await stopContainer({ pod, container, containerId, podIps, graceSeconds: graceOf(pod), message: 'FailedPostStartHook' }, context);
    return undefined;
  }
}

export interface StopRequest {
  pod: Pod;
  /** Undefined for containers that the spec no longer names. */
  container: Container | undefined;
  containerId: string;
  podIps: readonly string[];
  graceSeconds: number;
  /** Empty: the ordinary one. */
  message: string;
}

/** Containers get at least this long to go by themselves, unless the pod's owner asked for less. */
const leastGraceSeconds = 2;

export async function stopContainer(request: StopRequest, context: KubeletContext): Promise<void> {
  const { pod, container, containerId } = request;
  let { graceSeconds } = request;
  if (container !== undefined) {
    const message = request.message || `Stopping container ${container.name}`;
    tellPod(context, pod, { type: 'Normal', reason: 'Killing', message, container: container.name });
    const hook = container.lifecycle?.preStop;
    if (hook !== undefined && graceSeconds > 0) {
      const startMs = context.clock.monotonicMs();
      await runPreStop(hook, request, context);
      // The hook's time counts against the grace period.
      graceSeconds = Math.max(graceSeconds - (context.clock.monotonicMs() - startMs) / 1000, leastGraceSeconds);
    }
  }
  await context.runtime.stopContainer(containerId, Math.ceil(graceSeconds));
}

async function runPreStop(
  hook: NonNullable<NonNullable<Container['lifecycle']>['preStop']>,
  { pod, container, containerId, podIps, graceSeconds }: StopRequest,
  context: KubeletContext,
): Promise<void> {
  const given = new AbortController();
  const ran = runHook(hook, { containerId, container: container!, podIp: podIps[0] }, context, graceSeconds * 1000).catch(
    (error: unknown) => {
      const message = `PreStopHook failed: ${error instanceof Error ? error.message : String(error)}`;
      tellPod(context, pod, { type: 'Warning', reason: 'FailedPreStopHook', message, container: container!.name });
    },
  );
  await Promise.race([ran, context.clock.sleep(graceSeconds * 1000, given.signal).catch(() => undefined)]);
  given.abort();
}

/** How long a pod's containers may take to end. */
export function graceOf(pod: Pod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** The hosts file that all of the pod's containers share: written when the pod's addresses are known. */
export async function writeHostsFile(pod: Pod, podIps: readonly string[], hostFile: string, context: KubeletContext): Promise<void> {
  if (context.runtime.withoutFiles) return;
  const file = hostsPath(context, pod);
  // A runtime makes a directory of whatever it is to mount and does not find.
  if ((await stat(file).catch(() => undefined))?.isDirectory()) await rm(file, { recursive: true });
  await writeFile(file, hostsFile(pod, { podIps, clusterDomain: context.clusterDomain, hostFile }), { mode: 0o644 });
}
