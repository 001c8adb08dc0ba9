// Subresources that are not the object itself: which there are, and what a get or a create of them does.
import { methodNotSupported, pathNotFound } from '#api/meta/errors.ts';
import type { Status } from '#api/meta/errors.ts';
import type { RequestContext } from '../request.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { SubresourceCreate } from '../subresources/binding.ts';
import { bindPod } from '../subresources/binding.ts';
import { evictPod } from '../subresources/eviction.ts';
import { scaleOf } from '../subresources/scale.ts';
import { requestToken } from '../subresources/token.ts';
import { objectIn } from '../registry/versions.ts';
import type { GetRequest } from './get.ts';
import { getObject } from './get.ts';

/** Subresources that this server answers without a connect handler; discovery shows these and no others. */
const implemented: ReadonlySet<string> = new Set(['status', 'scale', 'binding', 'eviction', 'token', 'finalize', 'approval']);

export function isImplemented(subresource: string): boolean {
  return implemented.has(subresource);
}

/** Throws 404 for a subresource that this server does not have, 405 for a verb that it does not know. */
export function checkSubresource(resource: ServedResource, subresource: string, verb: string): void {
  const row = resource.info.subresources.find(({ name }) => name === subresource);
  if (row === undefined || !implemented.has(subresource)) throw pathNotFound();
  if (!row.verbs.includes(verb))
    throw methodNotSupported({ group: resource.type.group, plural: `${resource.type.plural}/${subresource}` }, verb);
}

export async function getSubresource(core: Core, resource: ServedResource, subresource: string, request: GetRequest): Promise<object> {
  checkSubresource(resource, subresource, 'get');
  const { object } = await getObject(core, resource, request);
  return subresource === 'scale' ? scaleOf(object) : objectIn(resource, object);
}

export async function createOnSubresource(
  core: Core,
  resource: ServedResource,
  subresource: string,
  request: SubresourceCreate & { context: RequestContext },
): Promise<object> {
  checkSubresource(resource, subresource, 'create');
  await core.admission.mutate(admissionFor(resource, subresource, request));
  await core.admission.validate(admissionFor(resource, subresource, request));
  switch (subresource) {
    case 'binding':
      await bindPod(core, resource, request);
      return created();
    case 'eviction':
      await evictPod(core, resource, request);
      return created();
    case 'token':
      return await requestToken(core, resource, request);
    default:
      throw pathNotFound();
  }
}

function admissionFor(resource: ServedResource, subresource: string, request: SubresourceCreate & { context: RequestContext }) {
  const { namespace, name, body, dryRun, context } = request;
  return { operation: 'CREATE' as const, resource, subresource, namespace, name, object: body, old: undefined, user: context.user, dryRun };
}

function created(): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}
