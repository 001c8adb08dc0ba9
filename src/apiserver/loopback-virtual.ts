// For components of this process: lists of what is computed rather than stored, such as metrics, beside the client for all that is stored.
import type { UserInfo } from '#api/meta/access.ts';
import type { KubeList, KubeObject, ResourceType } from '#api/meta/object.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import type { Client, ListOptions } from '#client/client.ts';
import { checkAccess } from './access-check.ts';
import type { Core } from './registry/core.ts';
import type { RequestContext } from './request.ts';
import type { VirtualResource } from './server.ts';

export function withVirtualLists(client: Client, core: Core, user: UserInfo, all: readonly VirtualResource[]): Client {
  return {
    ...client,
    async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<KubeList<T>> {
      const virtual = all.find(({ resource }) => resource.plural === type.plural && apiVersionOf(resource) === apiVersionOf(type));
      if (virtual?.list === undefined) return await client.list(type, options);
      const context = contextOf(type as ResourceType, user, options);
      checkAccess(core.authorize, { user, ...context.info });
      const items = (await virtual.list(context)) as T[];
      return { apiVersion: apiVersionOf(type), kind: `${type.kind}List`, metadata: { resourceVersion: '' }, items };
    },
  };
}

function contextOf(type: ResourceType, user: UserInfo, { namespace = '', labelSelector = '' }: ListOptions): RequestContext {
  const { group, version, plural } = type;
  const info = { isResourceRequest: true, path: '', verb: 'list', group, version, namespace, resource: plural, subresource: '', name: '' };
  const query = new URLSearchParams({ labelSelector });
  return { info, user, query, userAgent: 'keks', signal: new AbortController().signal, warnings: [] };
}
