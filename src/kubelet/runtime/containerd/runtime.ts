// Real containers: the kubelet's runtime over a containerd's CRI socket. Everything it knows is asked of containerd, so that a
// kubelet that starts again finds what runs; caches hold only what can no longer change.
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { ContainerRuntime, ContainerStatusInfo, PodIdentity, RuntimeEvent, RuntimePod, SandboxInfo } from '../runtime.ts';
import { removePodCgroup } from './cgroups.ts';
import { containerToCri, labelNames, sandboxToCri, statusFromCri, toMs, usageFromCri } from './convert.ts';
import type { CriClient } from './cri-client.ts';
import { createCriClient, describe, isNotFound } from './cri-client.ts';
import type * as cri from './cri-messages.ts';
import { pullErrorOf } from './pull-error.ts';
import { streamExec, streamPort } from './streaming.ts';
import { followTasks } from './task-events.ts';

export interface ContainerdOptions {
  /** containerd's socket. */
  socket: string;
  /** The cgroup that all pods' cgroups are put below. Default: the root. */
  cgroupRoot?: string;
  clock: Clock;
  log: Log;
}

/** A pull may take as long as it makes progress; this is for one that hangs. */
const pullTimeoutMs = 60 * 60_000;
const graceMarginMs = 60_000;

interface State {
  client: CriClient;
  cgroupRoot: string;
  /** Exited containers' statuses, by id: they never change. */
  exited: Map<string, ContainerStatusInfo>;
  /** Ready sandboxes' addresses, by id. */
  addresses: Map<string, string[]>;
  /** The pod of each container seen. */
  podUids: Map<string, string>;
}

export function createContainerdRuntime(options: ContainerdOptions): ContainerRuntime {
  const client = createCriClient(options.socket);
  const state: State = { client, cgroupRoot: options.cgroupRoot ?? '', exited: new Map(), addresses: new Map(), podUids: new Map() };
  const listeners = new Set<(event: RuntimeEvent) => void>();
  let unfollow: (() => void) | undefined;

  const announce = (podUid: string) => {
    for (const listener of listeners) listener({ podUid });
  };
  const follow = () =>
    followTasks({
      client,
      clock: options.clock,
      log: options.log,
      onEvent: ({ topic, containerId }) => {
        const settled = topic === '/tasks/exit' ? exitSettled(client, containerId, options.clock) : Promise.resolve();
        settled
          .then(() => state.podUids.get(containerId) ?? podUidOf(state, containerId))
          .then((podUid) => podUid !== undefined && announce(podUid))
          .catch((error: Error) => options.log.debug({ error: error.message, containerId }, 'task event not told'));
      },
      onReconnect: () => new Set(state.podUids.values()).forEach(announce),
    });

  return {
    ...podOperations(state),
    ...imageOperations(client),
    ...streamOperations(client),
    async info() {
      const { runtime_name: name, runtime_version: version } = await client.call('Version', {});
      return { name, version };
    },
    async checkReady() {
      const { status } = await client.call('Status', {}, 10_000).catch(rethrow);
      const broken = status.conditions.find((condition) => !condition.status);
      if (broken !== undefined) throw new Error(`${broken.type}: ${broken.reason}: ${broken.message}`);
    },
    async usage() {
      return (await sandboxStats(client)).map(usageFromCri);
    },
    onEvent(listener) {
      listeners.add(listener);
      unfollow ??= follow();
      return () => listeners.delete(listener);
    },
    async close() {
      unfollow?.();
      client.close();
    },
  };
}

/** containerd fails the whole list while one sandbox among them is not ready; then each is asked for itself. */
async function sandboxStats(client: CriClient): Promise<cri.PodSandboxStats[]> {
  try {
    return (await client.call('ListPodSandboxStats', {})).stats;
  } catch {
    const { items } = await client.call('ListPodSandbox', {});
    const ready = items.filter(({ state }) => state === 0);
    const answers = await Promise.allSettled(ready.map(({ id }) => client.call('PodSandboxStats', { pod_sandbox_id: id })));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.stats] : []));
  }
}

type PodOperations = Pick<
  ContainerRuntime,
  'pods' | 'runSandbox' | 'stopSandbox' | 'removeSandbox' | 'createContainer' | 'startContainer' | 'stopContainer' | 'removeContainer'
>;

function podOperations(state: State): PodOperations {
  const { client } = state;
  return {
    pods: (podUid) => listPods(state, podUid),
    async runSandbox(config) {
      const request = { config: sandboxToCri(config, state.cgroupRoot), runtime_handler: config.runtimeHandler ?? '' };
      const { pod_sandbox_id: id } = await client.call('RunPodSandbox', request).catch(rethrow);
      const { items } = await client.call('ListPodSandbox', { filter: { id } });
      if (items[0] === undefined) throw new Error(`sandbox ${id} of pod ${config.pod.namespace}/${config.pod.name} vanished`);
      return toSandbox(state, items[0]);
    },
    async stopSandbox(id) {
      state.addresses.delete(id);
      await idempotent(client.call('StopPodSandbox', { pod_sandbox_id: id }));
    },
    async removeSandbox(id) {
      state.addresses.delete(id);
      const { items } = await client.call('ListPodSandbox', { filter: { id } });
      await idempotent(client.call('RemovePodSandbox', { pod_sandbox_id: id }));
      await removePodCgroup(items[0]?.annotations);
    },
    async createContainer(sandboxId, config, sandbox) {
      const request = {
        pod_sandbox_id: sandboxId,
        config: containerToCri(config, sandbox),
        sandbox_config: sandboxToCri(sandbox, state.cgroupRoot),
      };
      const { container_id: id } = await client.call('CreateContainer', request).catch(rethrow);
      state.podUids.set(id, sandbox.pod.uid);
      return id;
    },
    async startContainer(id) {
      await client.call('StartContainer', { container_id: id }).catch(rethrow);
    },
    async stopContainer(id, graceSeconds) {
      const timeout = Math.max(0, Math.ceil(graceSeconds));
      await idempotent(client.call('StopContainer', { container_id: id, timeout }, timeout * 1000 + graceMarginMs));
    },
    async removeContainer(id) {
      await idempotent(client.call('RemoveContainer', { container_id: id }));
      state.exited.delete(id);
      state.podUids.delete(id);
    },
  };
}

function imageOperations(client: CriClient): Pick<ContainerRuntime, 'imageId' | 'imageUser' | 'pullImage' | 'images' | 'removeImage'> {
  const statusOf = (image: string) => client.call('ImageStatus', { image: { image } });
  return {
    async imageId(image) {
      return (await statusOf(image).catch((error: unknown) => Promise.reject(pullErrorOf(image, error)))).image?.id;
    },
    async imageUser(imageId) {
      const { image } = await statusOf(imageId);
      if (image?.uid) return { uid: image.uid.value };
      return image?.username ? { username: image.username } : { uid: 0 };
    },
    async pullImage(image) {
      try {
        const { image_ref: imageId } = await client.call('PullImage', { image: { image } }, pullTimeoutMs);
        return { imageId, bytes: (await statusOf(imageId)).image?.size ?? 0 };
      } catch (error) {
        throw pullErrorOf(image, error);
      }
    },
    async images() {
      const { images } = await client.call('ListImages', {});
      return images.map((image) => ({ names: [...image.repo_digests, ...image.repo_tags], sizeBytes: image.size }));
    },
    async removeImage(imageId) {
      await idempotent(client.call('RemoveImage', { image: { image: imageId } }));
    },
  };
}

function streamOperations(client: CriClient): Pick<ContainerRuntime, 'execSync' | 'exec' | 'attach' | 'portForward'> {
  return {
    async execSync(containerId, command, timeoutMs) {
      const request = { container_id: containerId, cmd: command, timeout: Math.ceil(timeoutMs / 1000) };
      const { stdout, stderr, exit_code: exitCode } = await client.call('ExecSync', request, timeoutMs + graceMarginMs).catch(rethrow);
      return { exitCode, stdout, stderr };
    },
    async exec(containerId, { command, tty }, streams) {
      const { url } = await client.call('Exec', { container_id: containerId, cmd: command, tty, ...asked(streams, tty) }).catch(rethrow);
      return streamExec(url, { tty }, streams);
    },
    async attach(containerId, { tty }, streams) {
      const { url } = await client.call('Attach', { container_id: containerId, tty, ...asked(streams, tty) }).catch(rethrow);
      await streamExec(url, { tty }, streams);
    },
    async portForward(sandboxId, port, stream) {
      const { url } = await client.call('PortForward', { pod_sandbox_id: sandboxId, port: [port] }).catch(rethrow);
      await streamPort(url, port, stream);
    },
  };
}

function asked(streams: { stdin?: unknown; stdout?: unknown; stderr?: unknown }, tty: boolean) {
  // A terminal has one output: CRI refuses stderr beside it.
  return { stdin: streams.stdin !== undefined, stdout: streams.stdout !== undefined, stderr: streams.stderr !== undefined && !tty };
}

async function listPods(state: State, podUid: string | undefined): Promise<RuntimePod[]> {
  const filter: cri.Filter = podUid === undefined ? {} : { label_selector: { [labelNames.podUid]: podUid } };
  // Sandboxes last: every container found has its sandbox in the list, unless both were removed meanwhile.
  const { containers } = await state.client.call('ListContainers', { filter });
  const { items } = await state.client.call('ListPodSandbox', { filter });
  const statuses = await Promise.all(containers.map((container) => statusOf(state, container)));
  const found = statuses.filter((status) => status !== undefined);
  if (podUid === undefined) forget(state, containers, items);
  return Promise.all(
    items.map(async (item) => ({
      sandbox: await toSandbox(state, item),
      containers: found.filter((container) => container.sandboxId === item.id),
    })),
  );
}

/** Drops what is remembered of containers and sandboxes that are gone: the lists are complete. */
function forget(state: State, containers: cri.Container[], sandboxes: cri.PodSandbox[]): void {
  const containerIds = new Set(containers.map(({ id }) => id));
  const sandboxIds = new Set(sandboxes.map(({ id }) => id));
  for (const cache of [state.exited, state.podUids]) for (const id of cache.keys()) if (!containerIds.has(id)) cache.delete(id);
  for (const id of state.addresses.keys()) if (!sandboxIds.has(id)) state.addresses.delete(id);
}

async function statusOf(state: State, container: cri.Container): Promise<ContainerStatusInfo | undefined> {
  const uid = container.labels[labelNames.podUid];
  if (uid !== undefined) state.podUids.set(container.id, uid);
  const known = state.exited.get(container.id);
  if (known !== undefined) return known;
  try {
    const { status } = await state.client.call('ContainerStatus', { container_id: container.id });
    const info = statusFromCri(status, container.pod_sandbox_id);
    if (info.state === 'exited') state.exited.set(info.id, info);
    return info;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function toSandbox(state: State, item: cri.PodSandbox): Promise<SandboxInfo> {
  const { name, namespace, uid, attempt } = item.metadata;
  const pod: PodIdentity = { name, namespace, uid };
  const ready = item.state === 0;
  const ips = ready ? await addressesOf(state, item.id) : [];
  return { id: item.id, pod, attempt, ready, createdAtMs: toMs(item.created_at), ips, labels: item.labels };
}

async function addressesOf(state: State, sandboxId: string): Promise<string[]> {
  const known = state.addresses.get(sandboxId);
  if (known !== undefined) return known;
  try {
    const { network } = (await state.client.call('PodSandboxStatus', { pod_sandbox_id: sandboxId })).status;
    const ips = network === null || network.ip === '' ? [] : [network.ip, ...network.additional_ips.map(({ ip }) => ip)];
    if (ips.length > 0) state.addresses.set(sandboxId, ips);
    return ips;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** containerd tells everybody at once that a task ended, its CRI part too: what that answers is true a moment later. */
async function exitSettled(client: CriClient, containerId: string, clock: Clock): Promise<void> {
  for (let waitMs = 5; waitMs < 1000; waitMs *= 2) {
    const { containers } = await client.call('ListContainers', { filter: { id: containerId } });
    const { items } = await client.call('ListPodSandbox', { filter: { id: containerId } });
    const runs = containers.some(({ state }) => state === 1) || items.some(({ state }) => state === 0);
    if (!runs) return;
    await clock.sleep(waitMs);
  }
}

async function podUidOf(state: State, containerId: string): Promise<string | undefined> {
  const { containers } = await state.client.call('ListContainers', { filter: { id: containerId } });
  if (containers[0] !== undefined) return containers[0].labels[labelNames.podUid];
  const { items } = await state.client.call('ListPodSandbox', { filter: { id: containerId } });
  return items[0]?.metadata.uid;
}

async function idempotent(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => (isNotFound(error) ? undefined : rethrow(error)));
}

/** The runtime's failure in the words that Kubernetes' events use. */
function rethrow(error: unknown): never {
  throw new Error(describe(error), { cause: error });
}
