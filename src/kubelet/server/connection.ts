// What the API server asks of this node: logs, exec, attach, port forwarding, statistics and metrics.
import type { Readable } from 'node:stream';
import type { Pod } from '#api/generated/core-v1.ts';
import { badRequest, failure } from '#api/meta/errors.ts';
import type { ContainerTarget, KubeletConnection } from '#client/kubelet-connection.ts';
import type { KubeletContext } from '../context.ts';
import type { ContainerView, PodView } from '../pod-view.ts';
import { containersOf, viewPod } from '../pod-view.ts';
import type { ContainerStatusInfo } from '../runtime/runtime.ts';
import { readContainerLog } from './container-log.ts';
import { metricsText, resourceMetricsText } from './metrics.ts';
import { createSummary } from './summary.ts';

/** `pods` lists what this node was told to run. */
export function createKubeletConnection(context: KubeletContext, pods: () => Pod[]): KubeletConnection {
  const { runtime } = context;
  const summary = createSummary(context);

  const viewOf = async (namespace: string, name: string): Promise<PodView> => {
    const pod = pods().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    if (pod === undefined) throw failure(404, 'NotFound', `pod "${name}" does not exist`);
    return viewPod(pod, await runtime.pods(pod.metadata.uid!));
  };
  const containerOf = async (target: ContainerTarget): Promise<ContainerView> => {
    const view = await viewOf(target.namespace, target.pod);
    const container = containersOf(view).find(({ spec }) => spec.name === target.container);
    if (container === undefined) throw badRequest(`container ${target.container} is not valid for pod ${target.pod}`);
    return container;
  };
  const runningId = async (target: ContainerTarget): Promise<string> => {
    const { current } = await containerOf(target);
    if (current?.state !== 'running') {
      throw failure(404, 'NotFound', `unable to upgrade connection: container not found ("${target.container}")`);
    }
    return current.id;
  };

  return {
    async logs(target, options, signal): Promise<Readable> {
      const container = await containerOf(target);
      return readContainerLog(loggedInstance(container, target, options.previous === true), options, signal, context);
    },
    exec: async (target, options, streams) => runtime.exec(await runningId(target), options, streams),
    attach: async (target, options, streams) => runtime.attach(await runningId(target), options, streams),
    async portForward({ namespace, pod }, port, stream) {
      const { sandbox } = await viewOf(namespace, pod);
      if (!sandbox?.ready)
        throw badRequest(
          `unable to forward port because pod is not running. Current status=${(await viewOf(namespace, pod)).pod.status?.phase ?? 'Pending'}`,
        );
      await runtime.portForward(sandbox.id, port, stream);
    },
    async get(path) {
      const [route] = path.split('?');
      switch (route) {
        case '/healthz':
          return text('ok');
        case '/pods':
        case '/pods/':
          return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods() });
        case '/stats/summary':
          return json(await summary(pods()));
        case '/metrics':
          return text(await metricsText(context, pods()));
        case '/metrics/resource':
          return text(await resourceMetricsText(context));
        default:
          return { status: 404, contentType: 'text/plain; charset=utf-8', body: '404 page not found\n' };
      }
    },
  };
}

function loggedInstance(container: ContainerView, target: ContainerTarget, previous: boolean): ContainerStatusInfo {
  const { current } = container;
  if (previous) {
    const ended =
      container.previous ?? (container.reported?.state?.waiting !== undefined && current?.state === 'exited' ? current : undefined);
    if (ended === undefined) throw badRequest(`previous terminated container "${target.container}" in pod "${target.pod}" not found`);
    return ended;
  }
  if (current === undefined || current.state === 'created') {
    const { reason = 'ContainerCreating', message } = container.reported?.state?.waiting ?? {};
    const isImage =
      reason === 'ErrImagePull' || reason === 'ImagePullBackOff' || reason === 'ErrImageNeverPull' || reason === 'InvalidImageName';
    const detail = isImage ? `trying and failing to pull image` : reason;
    throw badRequest(
      `container "${target.container}" in pod "${target.pod}" is waiting to start: ${message && !isImage && reason.startsWith('Create') ? message : detail}`,
    );
  }
  return current;
}

function text(body: string): { status: number; contentType: string; body: string } {
  return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body };
}

function json(value: unknown): { status: number; contentType: string; body: string } {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(value) };
}
