// Delete: removes an object, or marks it where grace or finalizers hold it back.
import type { KubeObject } from '#api/meta/object.ts';
import { notFound } from '#api/meta/errors.ts';
import type { RequestContext } from '../request.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { Change, Outcome } from '../registry/write.ts';
import { modify } from '../registry/write.ts';
import type { DeleteOptionsBody } from './deletion.ts';
import { checkDeleteOptions, checkPreconditions, decideDeletion } from './deletion.ts';

export interface DeleteRequest {
  context: RequestContext;
  namespace: string;
  name: string;
  options: DeleteOptionsBody;
  dryRun: boolean;
  /** Refuses by throwing, on the ground of the object as it stands. */
  check?: (object: KubeObject) => void;
}

export async function deleteObject(core: Core, served: ServedResource, request: DeleteRequest): Promise<Outcome> {
  const resource = served.storage;
  const { name, namespace, options, dryRun } = request;
  checkDeleteOptions(options);
  const target = { resource, key: resource.keyOf(namespace, name), name, dryRun };
  const outcome = await modify(core, target, async (current): Promise<Change> => {
    if (current === undefined) throw notFound(resource.type, name);
    checkPreconditions(resource, current.object, options);
    request.check?.(current.object);
    await core.admission.validate({
      operation: 'DELETE',
      resource,
      subresource: '',
      namespace,
      name,
      object: undefined,
      old: current.object,
      user: request.context.user,
      dryRun,
    });
    const deletion = decideDeletion(resource, current.object, options, core.clock.now());
    if (deletion.kind === 'remove') return { remove: true };
    return deletion.kind === 'mark' ? { put: deletion.object } : { keep: true };
  });
  if (outcome.removed && !dryRun) core.hooks.get(resource.prefix)?.afterDelete?.(outcome.entry.object);
  return outcome;
}
