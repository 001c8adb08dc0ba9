// Brings up what a plan asks for, one step after the other: volumes, sandbox, containers. One run at a time for each pod;
// it ends early when its pod does.
import type { Pod } from '#api/generated/core-v1.ts';
import { runtimeclasses } from '#api/generated/resources.ts';
import type { BackOff } from './backoff.ts';
import { nextBackOff } from './backoff.ts';
import { sandboxConfig } from './container-config.ts';
import { startContainer, stopContainer, writeHostsFile } from './container-lifecycle.ts';
import type { KubeletContext } from './context.ts';
import { tellPod } from './context.ts';
import type { ImageManager } from './images.ts';
import type { Plan, Waiting } from './plan.ts';
import type { PodView } from './pod-view.ts';
import type { SandboxInfo } from './runtime/runtime.ts';
import type { MountedVolumes, VolumeManager } from './volumes/volume-manager.ts';

/** What a pod's starts leave behind for the next plan and status. */
export interface StartMemory {
  backOff: Map<string, BackOff>;
  delayed: Map<string, { untilMs: number }>;
  waiting: Map<string, Waiting>;
  /** Failures in a row of what all containers stand on. */
  podFailures: number;
}

export interface StarterServices {
  context: KubeletContext;
  images: ImageManager;
  volumes: VolumeManager;
  /** The node's own /etc/hosts. */
  hostFile: string;
}

export interface StarterRun {
  pod: Pod;
  view: PodView;
  plan: Plan;
  memory: StartMemory;
  signal: AbortSignal;
  /** Something is worth telling before the run is over. */
  progressed: () => void;
  volumesChanged: () => void;
}

const firstRetryMs = 500;
const lastRetryMs = 122_000;

export async function bringUp(run: StarterRun, services: StarterServices): Promise<void> {
  const { context } = services;
  const { pod, view, plan, signal } = run;
  if (plan.replaceSandbox) await clearSandbox(run, context);
  if (plan.starts.length === 0) return;
  let volumes: MountedVolumes;
  let sandbox = view.sandbox;
  try {
    volumes = await services.volumes.mount(pod, podIpsOf(pod, sandbox, context), run.volumesChanged);
  } catch (error) {
    return holdBack(run, context, 'FailedMount', messageOf(error));
  }
  signal.throwIfAborted();
  if (plan.createSandbox !== undefined) {
    try {
      const config = sandboxConfig(pod, plan.createSandbox, context);
      sandbox = await context.runtime.runSandbox({ ...config, ...(await runtimeHandlerOf(pod, context)) });
    } catch (error) {
      return holdBack(run, context, 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${messageOf(error)}`);
    }
    run.progressed();
  }
  // Also in a sandbox that was there: whoever made it may have been killed before this.
  await writeHostsFile(pod, podIpsOf(pod, sandbox, context), services.hostFile, context);
  run.memory.podFailures = 0;
  await startAll({ ...run, sandbox: sandbox! }, volumes, services);
}

async function runtimeHandlerOf({ spec }: Pod, { client }: KubeletContext): Promise<{ runtimeHandler?: string }> {
  if (!spec.runtimeClassName) return {};
  const { handler } = await client.get(runtimeclasses, { name: spec.runtimeClassName });
  return { runtimeHandler: handler };
}

async function startAll(run: StarterRun & { sandbox: SandboxInfo }, volumes: MountedVolumes, services: StarterServices): Promise<void> {
  const { pod, plan, memory, sandbox, signal } = run;
  const { context, images } = services;
  const config = sandboxConfig(pod, sandbox.attempt, context);
  for (const { view, attempt } of plan.starts) {
    signal.throwIfAborted();
    const { name } = view.spec;
    if (view.current?.state === 'exited') {
      const endedMs = view.current.finishedAtMs ?? view.current.createdAtMs;
      memory.backOff.set(name, nextBackOff(memory.backOff.get(name), endedMs, context.clock.now()));
    }
    const podIps = podIpsOf(pod, sandbox, context);
    const failure = await startContainer(
      { pod, container: view.spec, attempt, sandbox, sandboxConfig: config, podIps, volumes, signal },
      images,
      context,
    );
    if (failure === undefined) {
      memory.waiting.delete(name);
      memory.delayed.delete(name);
    } else {
      memory.waiting.set(name, failure.waiting);
      memory.delayed.set(name, { untilMs: failure.retryAtMs });
    }
  }
}

/** The sandbox died: its containers end with it before a new one is made. */
async function clearSandbox({ pod, view, plan }: StarterRun, context: KubeletContext): Promise<void> {
  if (plan.starts.length > 0) {
    tellPod(context, pod, { type: 'Normal', reason: 'SandboxChanged', message: 'Pod sandbox changed, it will be killed and re-created.' });
  }
  const containers = [...view.init, ...view.main];
  for (const instance of view.instances) {
    if (instance.state !== 'running') continue;
    const container = containers.find(({ spec }) => spec.name === instance.name)?.spec;
    await stopContainer({ pod, container, containerId: instance.id, podIps: [], graceSeconds: 0, message: '' }, context);
  }
  for (const sandbox of [view.sandbox!, ...view.olderSandboxes]) await context.runtime.stopSandbox(sandbox.id);
}

/** Nothing can start now: everything waits a while, longer each time. */
function holdBack({ pod, plan, memory }: StarterRun, context: KubeletContext, reason: string, message: string): void {
  tellPod(context, pod, { type: 'Warning', reason, message });
  const untilMs = context.clock.now() + Math.min(firstRetryMs * 2 ** memory.podFailures++, lastRetryMs);
  for (const { view } of plan.starts) memory.delayed.set(view.spec.name, { untilMs });
}

export function podIpsOf(pod: Pod, sandbox: SandboxInfo | undefined, context: Pick<KubeletContext, 'hostIps'>): readonly string[] {
  return pod.spec.hostNetwork ? context.hostIps : (sandbox?.ips ?? []);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
