// The EndpointSlice controller: keeps the slices of every service that selects pods.
import type { Node, Pod, Service } from '#api/generated/core-v1.ts';
import type { EndpointSlice } from '#api/generated/discovery-v1.ts';
import { endpointslices, nodes, pods, services } from '#api/generated/resources.ts';
import { isNotFound } from '#api/meta/errors.ts';
import { keyOf } from '#api/meta/object.ts';
import { controllerReference } from '#api/meta/owner-references.ts';
import type { Informer } from '#client/informer.ts';
import type { IndexFunction } from '#client/object-cache.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/failures.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import type { ServicePods } from '../runtime/service-pods.ts';
import { createServicePods, lastTriggerTime } from '../runtime/service-pods.ts';
import { addressTypesOf, desiredGroups } from './endpoints.ts';
import type { SlicePlan } from './reconcile.ts';
import { labelsFor, managedByLabel, manager, planSlices, serviceNameLabel, withTrigger } from './reconcile.ts';
import type { WriteTracker } from './write-tracker.ts';
import { createWriteTracker } from './write-tracker.ts';

interface World {
  context: ControllerContext;
  services: Informer<Service>;
  nodes: Informer<Node>;
  slices: Informer<EndpointSlice>;
  servicePods: ServicePods;
  written: WriteTracker;
}

const byService = 'service';
const staleMs = 1000;
const serviceIndex: IndexFunction<EndpointSlice> = (slice) => (isOurs(slice) ? [serviceKeyOf(slice)] : []);

export const endpointSliceController: Controller = {
  name: 'endpointslice',
  serviceAccount: 'endpointslice-controller',
  start(context) {
    const { informers } = context;
    const world: World = {
      context,
      services: informers.informer(services),
      nodes: informers.informer(nodes),
      slices: informers.informer(endpointslices),
      servicePods: createServicePods(informers.informer(services), informers.informer<Pod>(pods)),
      written: createWriteTracker(context.clock),
    };
    world.slices.addIndex(byService, serviceIndex);
    const reconciler = startReconciler(context, {
      name: 'endpointslice',
      waitFor: [world.services, informers.informer(pods), world.nodes, world.slices],
      reconcile: (key) => reconcile(world, key),
    });
    const enqueueOwner = (slice: EndpointSlice): void => {
      if (isOurs(slice)) reconciler.enqueue(serviceKeyOf(slice));
    };
    const handlers = [
      world.servicePods.watch(reconciler.enqueue),
      world.slices.addHandlers({
        added: enqueueOwner,
        updated(old, slice) {
          enqueueOwner(old);
          enqueueOwner(slice);
        },
        deleted(slice) {
          world.written.deleted(serviceKeyOf(slice), slice);
          enqueueOwner(slice);
        },
      }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

function isOurs(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[managedByLabel] === manager && slice.metadata.labels[serviceNameLabel] !== undefined;
}

function serviceKeyOf(slice: EndpointSlice): string {
  return `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`;
}

async function reconcile(world: World, key: string): Promise<Outcome | undefined> {
  const { context } = world;
  const service = world.services.get(key);
  if (service === undefined) {
    world.written.forget(key);
    return undefined;
  }
  // Without a selector somebody else keeps the slices; the slices of a deleted service go with their owner.
  const isUnselected = Object.keys(service.spec.selector ?? {}).length === 0;
  if (isUnselected || service.spec.type === 'ExternalName' || service.metadata.deletionTimestamp !== undefined) return undefined;
  const existing = world.slices.byIndex(byService, key).filter((slice) => slice.metadata.deletionTimestamp === undefined);
  // The cache does not show our last write yet: deciding now would write it again. Its event brings us back, the delay is the fallback.
  const cached = (name: string) => world.slices.get(`${service.metadata.namespace}/${name}`);
  if (!world.written.isShownIn(key, cached)) return { requeueAfterMs: staleMs };
  const backends = world.servicePods.podsOf(service);
  const desired = desiredGroups(service, backends, (name) => world.nodes.get(name));
  const plan = planSlices(existing, desired, addressTypesOf(service), labelsFor(service));
  try {
    await carryOut(world, key, service, plan, lastTriggerTime(service, backends));
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    const message = `Error updating Endpoint Slices for Service ${keyOf(service)}: ${messageOf(error)}`;
    context.events.event(service, 'Warning', 'FailedToUpdateEndpointSlices', message);
    throw error;
  }
  return undefined;
}

/** Creations before deletions: an endpoint that moves is never missing. */
async function carryOut(world: World, key: string, service: Service, plan: SlicePlan, trigger: string | undefined): Promise<void> {
  const { client } = world.context;
  const labels = labelsFor(service);
  const { namespace, name } = service.metadata;
  for (const { addressType, ports, endpoints } of plan.create) {
    const created = await client.create(endpointslices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        generateName: `${name}-`,
        namespace,
        labels,
        annotations: withTrigger(undefined, trigger),
        ownerReferences: [controllerReference(services, service)],
      },
      addressType,
      endpoints,
      ports,
    });
    world.written.wrote(key, created);
  }
  for (const { slice, endpoints } of plan.update) {
    const metadata = { ...slice.metadata, labels, annotations: withTrigger(slice.metadata.annotations, trigger) };
    world.written.wrote(key, await client.update(endpointslices, { ...slice, metadata, endpoints }));
  }
  for (const slice of plan.delete) {
    const { name: sliceName, uid } = slice.metadata;
    await client.delete(endpointslices, { namespace, name: sliceName! }, { preconditions: { uid } }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
