// The Endpoints controller: one Endpoints object for every service that selects pods.
import type { Endpoints, Pod, Service } from '#api/generated/core-v1.ts';
import { endpoints, pods, services } from '#api/generated/resources.ts';
import { isAlreadyExists, isNotFound } from '#api/meta/errors.ts';
import { keyOf, refOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/failures.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import type { ServicePods } from '../runtime/service-pods.ts';
import { createServicePods, lastTriggerAnnotation, lastTriggerTime } from '../runtime/service-pods.ts';
import { labelsFor, overCapacityAnnotation, subsetsOf } from './reconcile.ts';

interface World {
  context: ControllerContext;
  services: Informer<Service>;
  endpoints: Informer<Endpoints>;
  servicePods: ServicePods;
}

export const endpointsController: Controller = {
  name: 'endpoints',
  serviceAccount: 'endpoint-controller',
  start(context) {
    const { informers } = context;
    const world: World = {
      context,
      services: informers.informer(services),
      endpoints: informers.informer(endpoints),
      servicePods: createServicePods(informers.informer(services), informers.informer<Pod>(pods)),
    };
    const reconciler = startReconciler(context, {
      name: 'endpoints',
      waitFor: [world.services, informers.informer(pods), world.endpoints],
      reconcile: (key) => reconcile(world, key),
    });
    const enqueue = (object: Endpoints): void => reconciler.enqueue(keyOf(object));
    const handlers = [
      world.servicePods.watch(reconciler.enqueue),
      // Somebody else's change or deletion is put right.
      world.endpoints.addHandlers({ added: enqueue, updated: (_old, object) => enqueue(object), deleted: enqueue }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

async function reconcile(world: World, key: string): Promise<void> {
  const { client, events } = world.context;
  const service = world.services.get(key);
  const current = world.endpoints.get(key);
  if (service === undefined) return deleteOwn(world, key, current);
  if (service.spec.type === 'ExternalName' || Object.keys(service.spec.selector ?? {}).length === 0) return;
  const backends = world.servicePods.podsOf(service);
  const wanted = endpointsOf(service, current, backends);
  if (current !== undefined && isCurrent(current, wanted)) return;
  try {
    if (current === undefined) await client.create(endpoints, wanted);
    else await client.update(endpoints, wanted);
  } catch (error) {
    // The cache is behind its own creation: the event of that brings us back.
    if (isNamespaceTerminating(error) || isAlreadyExists(error)) return;
    const [verb, reason] = current === undefined ? ['create', 'FailedToCreateEndpoint'] : ['update', 'FailedToUpdateEndpoint'];
    events.event(current ?? service, 'Warning', reason!, `Failed to ${verb} endpoint ${key}: ${messageOf(error)}`);
    throw error;
  }
}

/** Endpoints that somebody made by hand for no service are left alone; ours carry the label or a service's trigger time. */
async function deleteOwn({ context }: World, key: string, current: Endpoints | undefined): Promise<void> {
  if (current === undefined || !isOurs(current)) return;
  await context.client.delete(endpoints, refOf(key), { preconditions: { uid: current.metadata.uid } }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

function isOurs({ metadata }: Endpoints): boolean {
  return (
    metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller' ||
    metadata.annotations?.[lastTriggerAnnotation] !== undefined
  );
}

function endpointsOf(service: Service, current: Endpoints | undefined, backends: Pod[]): Endpoints {
  const { subsets, truncated } = subsetsOf(service, backends);
  const { [overCapacityAnnotation]: _, ...annotations } = current?.metadata.annotations ?? {};
  const trigger = lastTriggerTime(service, backends);
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    ...current,
    metadata: {
      ...(current?.metadata ?? { name: service.metadata.name, namespace: service.metadata.namespace }),
      labels: labelsFor(service),
      annotations: {
        ...annotations,
        ...(trigger && { [lastTriggerAnnotation]: trigger }),
        ...(truncated && { [overCapacityAnnotation]: 'truncated' }),
      },
    },
    subsets,
  };
}

/** The trigger time alone is no reason to write. */
function isCurrent(current: Endpoints, wanted: Endpoints): boolean {
  return (
    saysTheSame(current.subsets, wanted.subsets) &&
    saysTheSame(current.metadata.labels, wanted.metadata.labels) &&
    current.metadata.annotations?.[overCapacityAnnotation] === wanted.metadata.annotations?.[overCapacityAnnotation]
  );
}
