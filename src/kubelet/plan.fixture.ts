// Pods and runtime states in a line each, for tables of plans and statuses.
import type { Container, Pod, PodSpec, PodStatus } from '#api/generated/core-v1.ts';
import type { ContainerStatusInfo, RuntimePod } from './runtime/runtime.ts';

/** 2026-01-01T00:00:00Z */
export const zeroMs = Date.UTC(2026, 0, 1);

export function testPod(spec: Partial<PodSpec> = {}, status?: PodStatus): Pod {
  return {
    metadata: { name: 'web', namespace: 'default', uid: 'u1', generation: 1 },
    spec: { containers: [{ name: 'main', image: 'nginx' }], restartPolicy: 'Always', ...spec },
    ...(status && { status }),
  };
}

export const c = (name: string, fields: Partial<Container> = {}): Container => ({ name, image: 'nginx', ...fields });

/** `main running`, `main exited 1`, `main#2 exited 0 @5000` (attempt 2, ended 5 s after zero). */
export function instance(text: string, sandboxId = 's0'): ContainerStatusInfo {
  const match = /^(\w+)(?:#(\d+))? (created|running|exited|unknown)(?: (\d+))?(?: @(\d+))?$/.exec(text)!;
  const [, name, attempt = '0', state, code, at] = match;
  const exited = state === 'exited';
  return {
    id: `${name}-${attempt}-${sandboxId}`,
    sandboxId,
    name: name!,
    attempt: Number(attempt),
    state: state as ContainerStatusInfo['state'],
    image: 'nginx',
    imageId: 'nginx@sha256:1',
    createdAtMs: zeroMs + Number(attempt),
    ...(state !== 'created' && { startedAtMs: zeroMs + Number(attempt) }),
    ...(exited && { exitCode: Number(code ?? 0), finishedAtMs: zeroMs + Number(at ?? 0) }),
    labels: {},
    annotations: {},
  };
}

export function sandbox(containers: string[], { attempt = 0, ready = true }: { attempt?: number; ready?: boolean } = {}): RuntimePod {
  const id = `s${attempt}`;
  const pod = { namespace: 'default', name: 'web', uid: 'u1' };
  return {
    sandbox: { id, pod, attempt, ready, createdAtMs: zeroMs + attempt, ips: ready ? ['10.0.1.5'] : [], labels: {} },
    containers: containers.map((text) => instance(text, id)),
  };
}
