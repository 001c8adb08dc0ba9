// The history of a DaemonSet or StatefulSet: its templates as ControllerRevisions, numbered, the newest highest.
// Their data is a patch that makes the owner what it was: kubectl rollout undo sends it as it stands.
import type { ControllerRevision } from '#api/generated/apps-v1.ts';
import type { PodTemplateSpec } from '#api/generated/core-v1.ts';
import { controllerrevisions } from '#api/generated/resources.ts';
import { isAlreadyExists, isNotFound } from '#api/meta/errors.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import type { Selector } from '#api/meta/label-selector.ts';
import { controllerReference } from '#api/meta/owner-references.ts';
import type { Client } from '#client/client.ts';
import type { Informer } from '#client/informer.ts';
import { claimAll } from '../runtime/claim.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { byController, orphansOf } from '../runtime/indexes.ts';
import { templateHash } from '../runtime/template-hash.ts';

export const revisionHashLabel = 'controller-revision-hash';
const hashLabel = 'controller.kubernetes.io/hash';

interface HistoryOwner extends KubeObject {
  spec: { template: PodTemplateSpec; revisionHistoryLimit?: number };
  status?: { collisionCount?: number };
}

export interface History {
  client: Client;
  resource: ResourceType;
  owner: HistoryOwner;
}

/** What the owner controls, oldest revision first. */
export async function claimRevisions(
  history: History,
  revisions: Informer<ControllerRevision>,
  selector: Selector,
): Promise<ControllerRevision[]> {
  const { client, owner, resource } = history;
  const candidates = [
    ...revisions.byIndex(byController, owner.metadata.uid!),
    ...revisions.byIndex(byController, orphansOf(owner.metadata.namespace!)),
  ];
  const matches = (revision: ControllerRevision) => selector.matches(revision.metadata.labels);
  const claimed = await claimAll({ client, owner, ownerResource: resource, resource: controllerrevisions, matches }, candidates);
  return claimed.sort(
    (a, b) =>
      a.revision - b.revision ||
      Date.parse(a.metadata.creationTimestamp ?? '') - Date.parse(b.metadata.creationTimestamp ?? '') ||
      (a.metadata.name! < b.metadata.name! ? -1 : 1),
  );
}

/** The revision of the owner's template: found, raised to be the newest, or created. `taken` is called where its name is another's. */
export async function currentRevision(
  history: History,
  revisions: readonly ControllerRevision[],
  taken: () => Promise<void>,
): Promise<ControllerRevision> {
  const newest = Math.max(0, ...revisions.map(({ revision }) => revision));
  const data = dataOf(history.owner);
  const found = revisions.findLast((revision) => saysTheSame(revision.data, data));
  if (found === undefined) return await createRevision(history, newest + 1, taken);
  if (found.revision === newest) return found;
  return await history.client.update(controllerrevisions, { ...found, revision: newest + 1 });
}

async function createRevision(
  { client, resource, owner }: History,
  revision: number,
  taken: () => Promise<void>,
): Promise<ControllerRevision> {
  const { name, namespace, annotations } = owner.metadata;
  const hash = templateHash(owner.spec.template, owner.status?.collisionCount);
  const wanted: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name!.slice(0, 223)}-${hash}`,
      namespace,
      labels: { ...owner.spec.template.metadata?.labels, [hashLabel]: hash, [revisionHashLabel]: hash },
      ...(annotations && { annotations }),
      ownerReferences: [controllerReference(resource, owner)],
    },
    data: dataOf(owner),
    revision,
  };
  try {
    return await client.create(controllerrevisions, wanted);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // Our own creation that the cache has not shown yet, or another template of the same hash.
    const existing = await client.get(controllerrevisions, { namespace, name: wanted.metadata.name! });
    if (saysTheSame(existing.data, wanted.data)) return existing;
    await taken();
    throw error;
  }
}

/** Deletes the oldest revisions beyond the limit; `isLive` says which are still worn by pods. */
export async function truncateHistory(
  { client, owner }: History,
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
): Promise<void> {
  const dead = revisions.filter((revision) => !isLive(revision));
  const limit = owner.spec.revisionHistoryLimit ?? 10;
  if (limit < 0) return;
  for (const { metadata } of dead.slice(0, Math.max(0, dead.length - limit))) {
    await client.delete(controllerrevisions, { namespace: metadata.namespace, name: metadata.name! }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}

/** The template that the revision keeps. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (revision.data as { spec: { template: PodTemplateSpec & { $patch?: string } } }).spec.template;
  return template;
}

function dataOf(owner: HistoryOwner): object {
  return { spec: { template: { ...owner.spec.template, $patch: 'replace' } } };
}
