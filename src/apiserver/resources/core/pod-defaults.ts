// What a pod holds beyond the defaults of every pod spec: templates do not get these.
import type { Pod, PodSpec, ResourceRequirements } from '#api/generated/core-v1.ts';
import { addQuantities, formatQuantity, type Quantity } from '#api/meta/quantity.ts';
import { allContainersOf, setPodSpecDefaults } from './pod-spec/defaults.ts';

const OLD_INIT_ANNOTATION = /^pod\.(alpha|beta)\.kubernetes\.io\/init-container(s|-statuses)$/;

export function setPodDefaults(pod: Pod): void {
  dropOldAnnotations(pod);
  setAddresses(pod);
  // Upstream's spec is a struct: it is never absent, only empty.
  const spec = (pod.spec ??= { containers: [] });
  for (const container of allContainersOf(spec)) {
    if (container.resources?.limits) setRequests(container.resources);
    if (spec.hostNetwork) for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
  spec.enableServiceLinks ??= true;
  setPodLevelResources(spec);
  setPodSpecDefaults(spec);
}

/** Whoever limits a resource and does not say what it needs gets what it may have. */
function setRequests(resources: ResourceRequirements): void {
  if (Object.keys(resources.limits ?? {}).length === 0) return;
  resources.requests = { ...resources.limits, ...resources.requests };
}

function setPodLevelResources(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources?.limits && !resources?.requests) return;
  for (const container of spec.containers ?? [])
    for (const name of Object.keys(container.resources?.limits ?? {}))
      if (name.startsWith('hugepages-') && resources.limits?.[name] === undefined && resources.requests?.[name] === undefined)
        resources.limits = { ...resources.limits, [name]: sumOf(spec, 'limits', name)! };
  for (const [name, limit] of Object.entries(resources.limits ?? {}))
    if (resources.requests?.[name] === undefined) {
      const asked = name.startsWith('hugepages-') ? undefined : sumOf(spec, 'requests', name);
      resources.requests = { ...resources.requests, [name]: asked ?? limit };
    }
}

function sumOf(spec: PodSpec, field: 'limits' | 'requests', name: string): string | undefined {
  let sum: Quantity | undefined;
  for (const { resources } of spec.containers ?? []) {
    const amount = resources?.[field]?.[name];
    if (amount !== undefined) sum = addQuantities(sum ?? '0', amount);
  }
  return sum && formatQuantity(sum);
}

/** The single address is the first of the list, whichever of the two was written. */
function setAddresses(pod: Pod): void {
  const status = (pod.status ??= {});
  if (status.podIP && status.podIPs?.[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }];
  if (status.podIPs?.[0]?.ip) status.podIP = status.podIPs[0].ip;
  if (status.hostIP && !status.hostIPs?.length) status.hostIPs = [{ ip: status.hostIP }];
}

function dropOldAnnotations({ metadata }: Pod): void {
  const old = Object.keys(metadata.annotations ?? {}).filter((name) => OLD_INIT_ANNOTATION.test(name));
  if (old.length > 0)
    metadata.annotations = Object.fromEntries(Object.entries(metadata.annotations!).filter(([name]) => !old.includes(name)));
}
