// Answers /api, /apis and below, and /version. Only what is registered is told; documents are made when first asked for and again after a change.
import { methodNotAllowed } from '#api/meta/errors.ts';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { acceptedTypes, answerDocument, type Document, isRead, jsonDocument, type PathHandler } from '../paths.ts';
import { type DiscoveredGroup, type DiscoveredResource, groupResources } from './discovered-resource.ts';
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, apiVersions } from './documents.ts';
import { versionInfo } from './version.ts';

export interface Discovery {
  handle: PathHandler;
  /** Call it when resources come or go (custom resources). */
  changed(): void;
}

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export function createDiscovery(options: {
  resources(): readonly DiscoveredResource[];
  /** `host:port` as clients reach the server. */
  serverAddress(): string;
  gitVersion: string;
}): Discovery {
  let groups: DiscoveredGroup[] | undefined;
  const documents = new Map<string, Document>();
  const current = () => (groups ??= groupResources(options.resources()));
  const cached = (key: string, contentType: string, make: () => object | undefined): Document | undefined => {
    const known = documents.get(key);
    if (known) return known;
    const value = make();
    if (value === undefined) return undefined;
    const document = jsonDocument(value, contentType);
    documents.set(key, document);
    return document;
  };
  const plain = (key: string, make: () => object | undefined) => cached(key, 'application/json', make);

  const find = (request: HttpRequest): Document | undefined => {
    const path = request.path.length > 1 && request.path.endsWith('/') ? request.path.slice(0, -1) : request.path;
    if (path === '/version') return plain(path, () => versionInfo(options.gitVersion));
    if (path === '/api' || path === '/apis') {
      const members = () => current().filter((group) => (path === '/api') === (group.name === ''));
      if (wantsAggregated(request)) return cached(`${path} aggregated`, aggregatedType, () => aggregatedDiscovery(members()));
      return plain(path, () => (path === '/api' ? apiVersions(current(), options.serverAddress()) : apiGroupList(current())));
    }
    const [root, first, second, ...rest] = path.slice(1).split('/');
    if (rest.length > 0 || first === undefined) return undefined;
    if (root === 'api') return second === undefined ? plain(path, () => resourceList(current(), '', first)) : undefined;
    if (root !== 'apis') return undefined;
    if (second !== undefined) return plain(path, () => resourceList(current(), first, second));
    const group = current().find(({ name }) => name === first && name !== '');
    return group && plain(path, () => apiGroup(group));
  };

  return {
    handle(request): Promise<HttpResponse | undefined> {
      const document = find(request);
      if (!document) return Promise.resolve(undefined);
      if (!isRead(request)) return Promise.reject(methodNotAllowed());
      return Promise.resolve(answerDocument(request, document));
    },
    changed() {
      groups = undefined;
      documents.clear();
    },
  };
}

function resourceList(groups: readonly DiscoveredGroup[], group: string, version: string): object | undefined {
  const found = groups.find(({ name }) => name === group)?.versions.find((each) => each.version === version);
  return found && apiResourceList(found.groupVersion, found.resources);
}

/** The first type of the list that can be served decides. */
function wantsAggregated(request: HttpRequest): boolean {
  for (const { type, parameters } of acceptedTypes(request)) {
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    if (parameters.as === undefined) return false;
    if (parameters.g === 'apidiscovery.k8s.io' && parameters.v === 'v2' && parameters.as === 'APIGroupDiscoveryList') return true;
  }
  return false;
}
