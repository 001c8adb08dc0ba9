// Charges on quotas, written by the server itself whoever asked for what is charged.
import type { ResourceQuota } from '#api/generated/core-v1.ts';
import { resourcequotas } from '#api/generated/resources.ts';
import { copyOf } from '#api/meta/object.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { Core } from './registry/core.ts';
import type { ServedResource } from './registry/served-resource.ts';
import { modify } from './registry/write.ts';

/** A quota that is gone by now limits nothing. */
export async function chargeQuota(
  core: Core,
  { metadata }: ResourceQuota,
  change: (current: ResourceQuota) => ResourceQuota,
): Promise<void> {
  const resource = core.resources.of(resourcequotas) as unknown as ServedResource;
  const target = { resource, key: resource.keyOf(metadata.namespace, metadata.name!), name: metadata.name!, dryRun: false };
  await modify(core, target, (current) => {
    if (current === undefined) return { keep: true };
    return { put: copyOf(change(current.object as unknown as ResourceQuota)) as unknown as KubeObject };
  });
}
