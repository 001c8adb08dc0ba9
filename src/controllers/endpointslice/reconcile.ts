// Fits the endpoints of a service into slices of at most 100 with as few writes as it takes: endpoints stay in the slice that has them.
import type { Service } from '#api/generated/core-v1.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '#api/generated/discovery-v1.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { headlessLabel, isHeadless, lastTriggerAnnotation } from '../runtime/service-pods.ts';
import type { EndpointGroup } from './endpoints.ts';
import { groupKey } from './endpoints.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const manager = 'endpointslice-controller.k8s.io';
const maxEndpointsPerSlice = 100;

interface SliceContent {
  addressType: string;
  ports: EndpointPort[];
  endpoints: Endpoint[];
}

export interface SlicePlan {
  create: SliceContent[];
  /** An existing slice and what it should hold. */
  update: { slice: EndpointSlice; endpoints: Endpoint[] }[];
  delete: EndpointSlice[];
}

/** `labels` are those that every slice should carry: a slice that carries others is updated, too. */
export function planSlices(
  existing: readonly EndpointSlice[],
  desired: ReadonlyMap<string, EndpointGroup>,
  addressTypes: readonly string[],
  labels: Record<string, string>,
): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], delete: [] };
  const slicesByGroup = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = groupKey(slice.addressType, slice.ports ?? []);
    slicesByGroup.set(key, [...(slicesByGroup.get(key) ?? []), slice]);
  }
  for (const [key, group] of desired) fitGroup(group, slicesByGroup.get(key) ?? [], labels, plan);
  const outdated = [...slicesByGroup].filter(([key]) => !desired.has(key)).flatMap(([, slices]) => slices);
  for (const addressType of addressTypes) keepPlaceholder(addressType, desired, outdated, labels, plan);
  plan.delete.push(...outdated);
  return plan;
}

function fitGroup(group: EndpointGroup, slices: EndpointSlice[], labels: Record<string, string>, plan: SlicePlan): void {
  const missing = new Map(group.endpoints);
  const kept = slices.map((slice) => {
    const before = slice.endpoints ?? [];
    const endpoints: Endpoint[] = [];
    let isChanged = !saysTheSame(slice.metadata.labels, labels);
    for (const endpoint of before) {
      const uid = endpoint.targetRef?.uid ?? '';
      const wanted = missing.get(uid);
      if (wanted === undefined) isChanged = true;
      else {
        missing.delete(uid);
        isChanged ||= !saysTheSame(endpoint, wanted);
        endpoints.push(wanted);
      }
    }
    return { slice, endpoints, isChanged };
  });
  const rest = [...missing.values()];
  // Slices that are written anyway take new endpoints first, then the fullest that has room for all that is left.
  for (const entry of kept) if (entry.isChanged) entry.endpoints.push(...rest.splice(0, maxEndpointsPerSlice - entry.endpoints.length));
  while (rest.length >= maxEndpointsPerSlice) plan.create.push(contentOf(group, rest.splice(0, maxEndpointsPerSlice)));
  if (rest.length > 0) {
    const withRoom = kept
      .filter(({ endpoints }) => endpoints.length > 0 && endpoints.length + rest.length <= maxEndpointsPerSlice)
      .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
    if (withRoom === undefined) plan.create.push(contentOf(group, rest));
    else {
      withRoom.endpoints.push(...rest);
      withRoom.isChanged = true;
    }
  }
  for (const { slice, endpoints, isChanged } of kept) {
    if (endpoints.length === 0) plan.delete.push(slice);
    else if (isChanged) plan.update.push({ slice, endpoints });
  }
}

/** A service without endpoints has one empty slice, so that watchers learn that it is empty and not unknown. */
function keepPlaceholder(
  addressType: string,
  desired: ReadonlyMap<string, EndpointGroup>,
  outdated: EndpointSlice[],
  labels: Record<string, string>,
  plan: SlicePlan,
): void {
  if ([...desired.values()].some((group) => group.addressType === addressType)) return;
  const position = outdated.findIndex((slice) => slice.addressType === addressType && isPlaceholder(slice));
  if (position < 0) plan.create.push({ addressType, ports: [], endpoints: [] });
  else {
    const [slice] = outdated.splice(position, 1);
    if (!saysTheSame(slice!.metadata.labels, labels)) plan.update.push({ slice: slice!, endpoints: [] });
  }
}

function isPlaceholder(slice: EndpointSlice): boolean {
  return (slice.endpoints ?? []).length === 0 && (slice.ports ?? []).length === 0;
}

function contentOf({ addressType, ports }: EndpointGroup, endpoints: Endpoint[]): SliceContent {
  return { addressType, ports, endpoints };
}

/** The service's labels, and those by which slices are found. */
export function labelsFor(service: Service): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(service.metadata.labels ?? {})) {
    if (key !== headlessLabel && key !== serviceNameLabel && key !== managedByLabel) labels[key] = value;
  }
  if (isHeadless(service)) labels[headlessLabel] = '';
  labels[serviceNameLabel] = service.metadata.name!;
  labels[managedByLabel] = manager;
  return labels;
}

export function withTrigger(
  annotations: Record<string, string> | undefined,
  trigger: string | undefined,
): Record<string, string> | undefined {
  return trigger === undefined ? annotations : { ...annotations, [lastTriggerAnnotation]: trigger };
}
