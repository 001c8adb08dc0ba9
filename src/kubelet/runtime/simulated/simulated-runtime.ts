// A container runtime without containers: pods live on the clock, and everything that would need a process says that there is none.
import type { Clock, Timer } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import type {
  AdoptedPod,
  ContainerConfig,
  ContainerRuntime,
  ContainerStatusInfo,
  PodUsage,
  RuntimeEvent,
  SandboxConfig,
  SandboxInfo,
} from '../runtime.ts';
import type { Behaviour } from './behaviour.ts';
import { behaviourOf } from './behaviour.ts';
import type { SimulatedImage } from './images.ts';
import { pulledImage } from './images.ts';

export interface AddressAllocator {
  /** An address that is free; `wanted` if it is. */
  allocate(wanted?: string): string;
  release(ip: string): void;
}

export interface SimulatedRuntimeOptions {
  clock: Clock;
  random: Random;
  addresses: AddressAllocator;
  /** A pull takes between these. */
  pullMs?: { least: number; most: number };
}

interface SimulatedContainer {
  info: ContainerStatusInfo;
  config: ContainerConfig;
  behaviour: Behaviour;
  timer?: Timer;
}

interface SimulatedSandbox {
  info: SandboxInfo;
  config: SandboxConfig;
  containers: Map<string, SimulatedContainer>;
}

const simulatedNotice = 'simulated: no process runs in this container';
/** What a shell answers for a command that it cannot run. */
const cannotRun = 126;
const terminated = 0;
const killed = 137;

export function createSimulatedRuntime(options: SimulatedRuntimeOptions): ContainerRuntime {
  return new SimulatedRuntime(options);
}

class SimulatedRuntime implements ContainerRuntime {
  readonly withoutFiles = true;
  readonly #options: SimulatedRuntimeOptions;
  readonly #pods = new Map<string, Map<string, SimulatedSandbox>>();
  readonly #sandboxes = new Map<string, SimulatedSandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  readonly #images = new Map<string, SimulatedImage>();
  readonly #listeners = new Set<(event: RuntimeEvent) => void>();

  constructor(options: SimulatedRuntimeOptions) {
    this.#options = options;
  }

  info = () => Promise.resolve({ name: 'simulated', version: '1.0' });
  checkReady = () => Promise.resolve();

  pods(podUid?: string) {
    const sandboxes = podUid === undefined ? this.#sandboxes.values() : (this.#pods.get(podUid)?.values() ?? []);
    const found = [...sandboxes].map(({ info, containers }) => ({
      sandbox: { ...info },
      containers: [...containers.values()].map((container) => ({ ...container.info })),
    }));
    return Promise.resolve(found);
  }

  runSandbox(config: SandboxConfig): Promise<SandboxInfo> {
    const ips = config.hostNetwork ? [] : [this.#options.addresses.allocate()];
    return Promise.resolve({ ...this.#addSandbox(config, ips).info });
  }

  #addSandbox(config: SandboxConfig, ips: string[]): SimulatedSandbox {
    const info = {
      id: this.#newId(),
      pod: config.pod,
      attempt: config.attempt,
      ready: true,
      createdAtMs: this.#options.clock.now(),
      ips,
      labels: config.labels,
    };
    const sandbox = { info, config, containers: new Map() };
    this.#sandboxes.set(info.id, sandbox);
    const ofPod = this.#pods.get(config.pod.uid) ?? new Map<string, SimulatedSandbox>();
    this.#pods.set(config.pod.uid, ofPod.set(info.id, sandbox));
    return sandbox;
  }

  stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox?.info.ready) {
      for (const container of sandbox.containers.values()) this.#end(container, killed);
      for (const ip of sandbox.info.ips) this.#options.addresses.release(ip);
      sandbox.info.ready = false;
      sandbox.info.ips = [];
    }
    return Promise.resolve();
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return;
    for (const containerId of sandbox.containers.keys()) this.#containers.delete(containerId);
    this.#sandboxes.delete(id);
    const ofPod = this.#pods.get(sandbox.info.pod.uid);
    ofPod?.delete(id);
    if (ofPod?.size === 0) this.#pods.delete(sandbox.info.pod.uid);
  }

  createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (!sandbox?.info.ready) return Promise.reject(new Error(`sandbox ${sandboxId} is not running`));
    return Promise.resolve(this.#addContainer(sandbox, config, this.#newId()).info.id);
  }

  #addContainer(sandbox: SimulatedSandbox, config: ContainerConfig, id: string): SimulatedContainer {
    const info: ContainerStatusInfo = {
      id,
      sandboxId: sandbox.info.id,
      name: config.name,
      attempt: config.attempt,
      state: 'created',
      image: config.image,
      imageId: this.#imageOf(config.image)?.imageId ?? '',
      createdAtMs: this.#options.clock.now(),
      labels: config.labels,
      annotations: config.annotations,
    };
    const container = { info, config, behaviour: behaviourOf(config, sandbox.config) };
    sandbox.containers.set(id, container);
    this.#containers.set(id, container);
    return container;
  }

  async startContainer(id: string): Promise<void> {
    const container = this.#known(id);
    const { startDelayMs } = container.behaviour;
    if (startDelayMs > 0) await this.#options.clock.sleep(startDelayMs);
    if (container.info.state === 'created') this.#run(container, this.#options.clock.now());
  }

  #run(container: SimulatedContainer, startedAtMs: number): void {
    const { info, behaviour } = container;
    info.state = 'running';
    info.startedAtMs = startedAtMs;
    if (behaviour.exit === undefined) return;
    const { afterMs, code } = behaviour.exit;
    const leftMs = startedAtMs + afterMs - this.#options.clock.now();
    if (leftMs <= 0) this.#end(container, code);
    else container.timer = this.#options.clock.after(leftMs, () => this.#end(container, code));
  }

  #end(container: SimulatedContainer, exitCode: number): void {
    const { info } = container;
    if (info.state === 'exited') return;
    container.timer?.cancel();
    info.state = 'exited';
    info.exitCode = exitCode;
    info.finishedAtMs = this.#options.clock.now();
    info.startedAtMs ??= info.finishedAtMs;
    info.reason = exitCode === 0 ? 'Completed' : 'Error';
    const { uid } = this.#sandboxes.get(info.sandboxId)!.info.pod;
    for (const listener of this.#listeners) listener({ podUid: uid });
  }

  /** Obeys SIGTERM after its stop delay, with 0; killed with 137 when the grace period is shorter. */
  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined || container.info.state === 'exited') return;
    const { stopDelayMs } = container.behaviour;
    const waitMs = Math.min(stopDelayMs, graceSeconds * 1000);
    if (waitMs > 0) await this.#options.clock.sleep(waitMs);
    this.#end(container, stopDelayMs > graceSeconds * 1000 ? killed : terminated);
  }

  removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    container?.timer?.cancel();
    this.#containers.delete(id);
    if (container !== undefined) this.#sandboxes.get(container.info.sandboxId)?.containers.delete(id);
    return Promise.resolve();
  }

  adopt(pod: AdoptedPod, config: SandboxConfig): void {
    const ips = config.hostNetwork ? [] : pod.ips.map((ip) => this.#options.addresses.allocate(ip));
    const sandbox = this.#addSandbox(config, ips);
    for (const { id, startedAtMs, imageId, config: wanted } of pod.containers) {
      if (!this.#images.has(wanted.image)) this.#images.set(wanted.image, { ...pulledImage(wanted.image), imageId });
      const container = this.#addContainer(sandbox, wanted, id);
      container.info.createdAtMs = startedAtMs;
      this.#run(container, startedAtMs);
    }
  }

  imageId = (image: string) => Promise.resolve(this.#imageOf(image)?.imageId);

  #imageOf(image: string): SimulatedImage | undefined {
    return this.#images.get(image) ?? this.#images.get(`${image}:latest`);
  }

  async pullImage(image: string): Promise<SimulatedImage> {
    const { least, most } = this.#options.pullMs ?? { least: 1, most: 1 };
    const delayMs = least + (most - least) * this.#options.random.next();
    if (delayMs > 0) await this.#options.clock.sleep(delayMs);
    const pulled = pulledImage(image);
    this.#images.set(image, pulled);
    return pulled;
  }

  images() {
    return Promise.resolve([...this.#images].map(([name, { imageId, bytes }]) => ({ names: [imageId, name], sizeBytes: bytes })));
  }

  removeImage(imageId: string): Promise<void> {
    for (const [name, image] of this.#images) if (image.imageId === imageId) this.#images.delete(name);
    return Promise.resolve();
  }

  execSync() {
    return Promise.resolve({ exitCode: cannotRun, stdout: Buffer.alloc(0), stderr: Buffer.from(`${simulatedNotice}\n`) });
  }

  async exec(_id: string, { tty }: { tty: boolean }, streams: Parameters<ContainerRuntime['exec']>[2]): Promise<number> {
    await say(tty ? streams.stdout : streams.stderr);
    return cannotRun;
  }

  async attach(_id: string, { tty }: { tty: boolean }, streams: Parameters<ContainerRuntime['attach']>[2]): Promise<void> {
    await say(tty ? streams.stdout : streams.stderr);
  }

  portForward(): Promise<void> {
    return Promise.reject(new Error(`${simulatedNotice}, so nothing listens on its ports`));
  }

  readLog(id: string): Promise<string> {
    const { info } = this.#known(id);
    const line = (ms: number, text: string) => `${new Date(ms).toISOString().replace('Z', '000000Z')} stdout F ${text}\n`;
    if (info.startedAtMs === undefined) return Promise.resolve('');
    const started = line(info.startedAtMs, simulatedNotice);
    const ended = info.finishedAtMs === undefined ? '' : line(info.finishedAtMs, `simulated: exited with code ${info.exitCode}`);
    return Promise.resolve(started + ended);
  }

  probe(id: string, kind: 'startup' | 'liveness' | 'readiness') {
    const { info, behaviour } = this.#known(id);
    const ageMs = this.#options.clock.now() - (info.startedAtMs ?? this.#options.clock.now());
    const success =
      kind === 'liveness' ? !(ageMs >= (behaviour.livenessFailsAfterMs ?? Number.POSITIVE_INFINITY)) : ageMs >= behaviour.readyDelayMs;
    return Promise.resolve({
      success: info.state === 'running' && success,
      output: success ? '' : 'simulated: the probe fails as annotated',
    });
  }

  /** Half of what was asked for, always. */
  usage(): Promise<PodUsage[]> {
    const now = this.#options.clock.now();
    const usages: PodUsage[] = [];
    for (const { info, containers } of this.#sandboxes.values()) {
      if (!info.ready) continue;
      const used: PodUsage['containers'] = new Map();
      for (const { info: container, config } of containers.values()) {
        if (container.state !== 'running') continue;
        const cores = (config.resources.cpuShares ?? 0) / 1024 / 2;
        const memory = Math.floor((config.resources.memoryRequestBytes ?? 0) / 2);
        const cpuCoreNanoSeconds = Math.round(cores * (now - container.startedAtMs!) * 1e6);
        used.set(container.name, { cpuCoreNanoSeconds, memoryWorkingSetBytes: memory, memoryUsageBytes: memory, rootfsUsedBytes: 0 });
      }
      usages.push({ pod: info.pod, networkRxBytes: 0, networkTxBytes: 0, containers: used });
    }
    return Promise.resolve(usages);
  }

  onEvent(listener: (event: RuntimeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    for (const container of this.#containers.values()) container.timer?.cancel();
    this.#listeners.clear();
    return Promise.resolve();
  }

  #known(id: string): SimulatedContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new Error(`container ${id} not found`);
    return container;
  }

  #newId(): string {
    return this.#options.random.bytes(32).toString('hex');
  }
}

function say(stream: NodeJS.WritableStream | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream === undefined) return resolve();
    stream.write(`${simulatedNotice}\n`, () => resolve());
  });
}
