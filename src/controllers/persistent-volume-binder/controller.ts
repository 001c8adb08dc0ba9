// The persistent volume binder: brings claims and volumes together, in both directions and one step at a time, so that a crash between
// two writes is made good by the next run. Volumes are made and destroyed by provisioners; this controller only asks for them.
import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import { persistentvolumeclaims, persistentvolumes, storageclasses } from '#api/generated/resources.ts';
import type { StorageClass } from '#api/generated/storage-v1.ts';
import { copyOf, keyOf } from '#api/meta/object.ts';
import type { Informer } from '#client/informer.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import {
  betaStorageProvisioner,
  bindCompleted,
  boundByController,
  claimReference,
  hasAnnotation,
  selectedNode,
  storageProvisioner,
} from '../runtime/volume-annotations.ts';
import { isReservedFor, matchingVolume, volumePhase, whyUnfit } from './reconcile.ts';

interface World {
  context: ControllerContext;
  claims: Informer<PersistentVolumeClaim>;
  volumes: Informer<PersistentVolume>;
  classes: Informer<StorageClass>;
}

export const persistentVolumeBinder: Controller = {
  name: 'persistent-volume-binder',
  serviceAccount: 'persistent-volume-binder',
  start(context) {
    const world: World = {
      context,
      claims: context.informers.informer(persistentvolumeclaims),
      volumes: context.informers.informer(persistentvolumes),
      classes: context.informers.informer(storageclasses),
    };
    const waitFor = [world.claims, world.volumes, world.classes];
    // One worker each: two claims must not reach for the same volume at once.
    const claims = startReconciler(context, {
      name: 'persistent-volume-binder',
      waitFor,
      workers: 1,
      reconcile: (key) => syncClaim(world, key),
    });
    const volumes = startReconciler(context, {
      name: 'persistent-volume-binder_volume',
      waitFor,
      workers: 1,
      reconcile: (key) => syncVolume(world, key),
    });
    const enqueueUnbound = () => {
      for (const claim of world.claims.list()) if (!hasAnnotation(claim, bindCompleted)) claims.enqueue(keyOf(claim));
    };
    const seeClaim = (claim: PersistentVolumeClaim) => {
      claims.enqueue(keyOf(claim));
      if (claim.spec.volumeName) volumes.enqueue(claim.spec.volumeName);
    };
    const seeVolume = (volume: PersistentVolume) => {
      volumes.enqueue(volume.metadata.name!);
      const ref = volume.spec.claimRef;
      if (ref === undefined) enqueueUnbound();
      else claims.enqueue(`${ref.namespace}/${ref.name}`);
    };
    const handlers = [
      world.claims.addHandlers({ added: seeClaim, updated: (_, claim) => seeClaim(claim), deleted: seeClaim }),
      world.volumes.addHandlers({ added: seeVolume, updated: (_, volume) => seeVolume(volume), deleted: seeVolume }),
      world.classes.addHandlers({ added: enqueueUnbound, updated: enqueueUnbound }),
    ];
    return stopTogether(handlers, [claims, volumes]);
  },
};

async function syncClaim(world: World, key: string): Promise<void> {
  const claim = world.claims.get(key);
  if (claim === undefined) return;
  if (hasAnnotation(claim, bindCompleted)) return syncBoundClaim(world, claim);
  if (claim.metadata.deletionTimestamp) return;
  if (claim.spec.volumeName) return bindNamedVolume(world, claim, claim.spec.volumeName);
  const volume = waitsForConsumer(world, claim) ? reservedVolume(world, claim) : matchingVolume(claim, world.volumes.list());
  if (volume !== undefined) return bind(world, claim, volume);
  await askForVolume(world, claim);
}

/** A claim once bound stays with its volume; if that is gone, so is the data, and only a person can decide what then. */
async function syncBoundClaim(world: World, claim: PersistentVolumeClaim): Promise<void> {
  const volume = world.volumes.get(claim.spec.volumeName ?? '');
  if (volume === undefined || (volume.spec.claimRef !== undefined && !isReservedFor(volume, claim))) {
    if (claim.status?.phase === 'Lost') return;
    const [reason, message] =
      volume === undefined
        ? ['ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!']
        : ['ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly'];
    world.context.events.event(claim, 'Warning', reason!, message!);
    return writeClaimStatus(world, claim, { phase: 'Lost' });
  }
  await bind(world, claim, volume);
}

async function bindNamedVolume(world: World, claim: PersistentVolumeClaim, name: string): Promise<void> {
  const volume = world.volumes.get(name);
  if (volume === undefined) return writeClaimStatus(world, claim, { phase: 'Pending' });
  if (volume.spec.claimRef === undefined) {
    const reason = whyUnfit(claim, volume);
    if (reason === undefined) return bind(world, claim, volume);
    world.context.events.event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${name}": ${reason}`);
  } else if (isReservedFor(volume, claim)) return bind(world, claim, volume);
  else {
    const message = `volume "${name}" already bound to a different claim.`;
    world.context.events.event(claim, 'Warning', 'FailedBinding', message);
  }
  await writeClaimStatus(world, claim, { phase: 'Pending' });
}

/** Four writes, each only if it is still to be done: the volume's reference and phase, the claim's spec and status. */
async function bind(world: World, claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
  const { client } = world.context;
  const reserved = copyOf(volume);
  if (!reserved.spec.claimRef?.uid) {
    if (reserved.spec.claimRef === undefined) annotate(reserved, boundByController, 'yes');
    reserved.spec.claimRef = claimReference(claim);
    const written = await client.update(persistentvolumes, reserved);
    await writeVolumePhase(world, written, 'Bound');
  } else if (volume.status?.phase !== 'Bound') await writeVolumePhase(world, volume, 'Bound');

  let current = claim;
  if (claim.spec.volumeName !== volume.metadata.name || !hasAnnotation(claim, bindCompleted)) {
    const bound = copyOf(claim);
    if (!bound.spec.volumeName) annotate(bound, boundByController, 'yes');
    bound.spec.volumeName = volume.metadata.name!;
    annotate(bound, bindCompleted, 'yes');
    current = await client.update(persistentvolumeclaims, bound);
  }
  const { accessModes, capacity } = volume.spec;
  await writeClaimStatus(world, current, { phase: 'Bound', ...(accessModes && { accessModes }), ...(capacity && { capacity }) });
}

/** Nothing fits: a provisioner is told, or whoever made the claim is. */
async function askForVolume(world: World, claim: PersistentVolumeClaim): Promise<void> {
  const { client, events } = world.context;
  await writeClaimStatus(world, claim, { phase: 'Pending' });
  const className = claim.spec.storageClassName;
  if (!className) {
    return events.event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
  }
  const storageClass = world.classes.get(className);
  if (storageClass === undefined) {
    return events.event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`);
  }
  if (waitsForConsumer(world, claim)) {
    return events.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
  }
  const { provisioner } = storageClass;
  if (provisioner === 'kubernetes.io/no-provisioner') {
    return events.event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
  }
  if (claim.metadata.annotations?.[storageProvisioner] !== provisioner) {
    const asked = copyOf(world.claims.get(keyOf(claim)) ?? claim);
    annotate(asked, storageProvisioner, provisioner);
    annotate(asked, betaStorageProvisioner, provisioner);
    await client.update(persistentvolumeclaims, asked);
  }
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  events.event(claim, 'Normal', 'ExternalProvisioning', message);
}

/** Released volumes with reclaim policy Delete are their provisioner's to destroy. */
async function syncVolume(world: World, name: string): Promise<void> {
  const volume = world.volumes.get(name);
  if (volume === undefined) return;
  const ref = volume.spec.claimRef;
  const claim = ref && world.claims.get(`${ref.namespace}/${ref.name}`);
  const phase = volumePhase(volume, claim);
  // A claim that is only being bound makes its volume Bound itself, after its own reference is written.
  if (phase === 'Bound' && volume.status?.phase !== 'Bound' && claim?.spec.volumeName !== name) return;
  await writeVolumePhase(world, volume, phase);
}

function waitsForConsumer({ classes }: World, claim: PersistentVolumeClaim): boolean {
  const mode = classes.get(claim.spec.storageClassName ?? '')?.volumeBindingMode;
  return mode === 'WaitForFirstConsumer' && !hasAnnotation(claim, selectedNode);
}

function reservedVolume({ volumes }: World, claim: PersistentVolumeClaim): PersistentVolume | undefined {
  return volumes.list().find((volume) => isReservedFor(volume, claim));
}

async function writeVolumePhase({ context }: World, volume: PersistentVolume, phase: string): Promise<void> {
  if (volume.status?.phase === phase) return;
  const changed = copyOf(volume);
  changed.status = { ...changed.status, phase };
  await context.client.update(persistentvolumes, changed, { subresource: 'status' });
}

async function writeClaimStatus(
  { context }: World,
  claim: PersistentVolumeClaim,
  status: NonNullable<PersistentVolumeClaim['status']>,
): Promise<void> {
  if (saysTheSame({ ...claim.status, ...status }, claim.status)) return;
  const changed = copyOf(claim);
  changed.status = { ...changed.status, ...copyOf(status) };
  await context.client.update(persistentvolumeclaims, changed, { subresource: 'status' });
}

function annotate(object: PersistentVolume | PersistentVolumeClaim, name: string, value: string): void {
  object.metadata.annotations = { ...object.metadata.annotations, [name]: value };
}
