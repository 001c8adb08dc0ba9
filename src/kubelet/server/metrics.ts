// The kubelet's metrics in Prometheus' text form: its own, and what metrics servers scrape of containers.
import { isPodTerminal } from '#api/core/pod-state.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeletContext } from '../context.ts';

export async function metricsText(
  { runtime, nodeName }: Pick<KubeletContext, 'runtime' | 'nodeName'>,
  pods: readonly Pod[],
): Promise<string> {
  const states = new Map<string, number>();
  let running = 0;
  for (const { sandbox, containers } of await runtime.pods()) {
    if (sandbox.ready) running++;
    for (const { state } of containers) states.set(state, (states.get(state) ?? 0) + 1);
  }
  const terminal = pods.filter(isPodTerminal).length;
  return lines([
    ['kubelet_node_name', 'gauge', "The node's name. The count is always 1.", [[{ node: nodeName }, 1]]],
    ['kubelet_running_pods', 'gauge', 'Number of pods that have a running pod sandbox', [[{}, running]]],
    [
      'kubelet_running_containers',
      'gauge',
      'Number of containers currently running',
      [...states].map(([state, count]) => [{ container_state: state }, count]),
    ],
    ['kubelet_desired_pods', 'gauge', 'The number of pods the kubelet is being instructed to run.', [[{ static: '' }, pods.length]]],
    ['kubelet_active_pods', 'gauge', 'The number of pods the kubelet considers active.', [[{ static: '' }, pods.length - terminal]]],
  ]);
}

export async function resourceMetricsText({ runtime, clock }: Pick<KubeletContext, 'runtime' | 'clock'>): Promise<string> {
  const cpu: Sample[] = [];
  const memory: Sample[] = [];
  const podCpu: Sample[] = [];
  const podMemory: Sample[] = [];
  const node = { cpu: 0, memory: 0 };
  for (const { pod, containers } of await runtime.usage()) {
    const own = { cpu: 0, memory: 0 };
    for (const [container, usage] of containers) {
      const labels = { container, namespace: pod.namespace, pod: pod.name };
      cpu.push([labels, usage.cpuCoreNanoSeconds / 1e9]);
      memory.push([labels, usage.memoryWorkingSetBytes]);
      own.cpu += usage.cpuCoreNanoSeconds / 1e9;
      own.memory += usage.memoryWorkingSetBytes;
    }
    const labels = { namespace: pod.namespace, pod: pod.name };
    podCpu.push([labels, own.cpu]);
    podMemory.push([labels, own.memory]);
    node.cpu += own.cpu;
    node.memory += own.memory;
  }
  const stamp = clock.now();
  return lines(
    [
      ['container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the container in core-seconds', cpu],
      ['container_memory_working_set_bytes', 'gauge', 'Current working set of the container in bytes', memory],
      ['node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds', [[{}, node.cpu]]],
      ['node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes', [[{}, node.memory]]],
      ['pod_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the pod in core-seconds', podCpu],
      ['pod_memory_working_set_bytes', 'gauge', 'Current working set of the pod in bytes', podMemory],
      ['resource_scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise', [[{}, 0]]],
    ],
    stamp,
  );
}

type Sample = [labels: Record<string, string>, value: number];
type Family = [name: string, type: 'gauge' | 'counter', help: string, samples: Sample[]];

function lines(families: Family[], stampMs?: number): string {
  const out: string[] = [];
  for (const [name, type, help, samples] of families) {
    if (samples.length === 0) continue;
    out.push(`# HELP ${name} [ALPHA] ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of samples) {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
      out.push(`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}${stampMs === undefined ? '' : ` ${stampMs}`}`);
    }
  }
  return `${out.join('\n')}\n`;
}
