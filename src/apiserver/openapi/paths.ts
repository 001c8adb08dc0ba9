// The paths of a group and version for OpenAPI: which verbs stand where, with which parameters and bodies.
import { messageForKind } from '#api/schema.ts';
import type { DiscoveredResource, DiscoveredSubresource } from '../discovery/discovered-resource.ts';
import type { Dialect, Schema, Schemas } from './schemas.ts';

interface Target {
  /** Upstream's word in `x-kubernetes-action`. */
  action: string;
  method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  verb: string;
}

const onCollection: readonly Target[] = [
  { action: 'list', method: 'get', verb: 'list' },
  { action: 'post', method: 'post', verb: 'create' },
  { action: 'deletecollection', method: 'delete', verb: 'deletecollection' },
];
const onObject: readonly Target[] = [
  { action: 'get', method: 'get', verb: 'get' },
  { action: 'put', method: 'put', verb: 'update' },
  { action: 'patch', method: 'patch', verb: 'patch' },
  { action: 'delete', method: 'delete', verb: 'delete' },
  // Only subresources are created under a name: bindings, evictions, tokens.
  { action: 'post', method: 'post', verb: 'create' },
];

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

export function pathsOf(resources: readonly DiscoveredResource[], dialect: Dialect, schemas: Schemas): Record<string, Schema> {
  const paths: Record<string, Schema> = {};
  for (const resource of resources) {
    const { group, version, plural, kind, namespaced } = resource.type;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const scoped = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    const body = { group, version, kind };
    const add = (path: string, targets: readonly Target[], of: { verbs: readonly string[]; body: typeof body; name: string }) => {
      const item = itemOf(targets, { ...of, dialect, schemas, path });
      if (Object.keys(item).length > 0) paths[path] = { ...item, parameters: pathParameters(path, dialect) };
    };
    const own = { verbs: resource.verbs, body, name: plural };
    if (namespaced && resource.verbs.includes('list')) add(`${root}/${plural}`, onCollection.slice(0, 1), own);
    add(scoped, onCollection, own);
    add(`${scoped}/{name}`, onObject.slice(0, 4), own);
    for (const child of resource.subresources) add(`${scoped}/{name}/${child.name}`, onObject, childOf(child, plural));
  }
  return paths;
}

function childOf(child: DiscoveredSubresource, plural: string) {
  const body = { group: child.bodyGroup, version: child.bodyVersion, kind: child.kind };
  return { verbs: child.verbs, body, name: `${plural}/${child.name}` };
}

interface Item {
  verbs: readonly string[];
  body: { group: string; version: string; kind: string };
  name: string;
  dialect: Dialect;
  schemas: Schemas;
  path: string;
}

function itemOf(targets: readonly Target[], item: Item): Schema {
  const operations: Schema = {};
  for (const target of targets) if (item.verbs.includes(target.verb)) operations[target.method] = operationOf(target, item);
  return operations;
}

function operationOf(target: Target, item: Item): Schema {
  const { body, dialect } = item;
  const bodySchema = schemaOf(item, target);
  const sends = target.method !== 'get' && target.method !== 'delete';
  const parameters = queryParameters(target, dialect);
  const words = item.path.split(/[/{}.-]+/).filter((word) => word !== '');
  const content = (types: readonly string[], schema: Schema) => Object.fromEntries(types.map((type) => [type, { schema }]));
  const consumed = target.method === 'patch' ? patchTypes : ['application/json', 'application/yaml'];
  const patchBody = target.method === 'patch' ? { type: 'object' } : bodySchema;
  const v2Body = sends ? [{ name: 'body', in: 'body', required: true, schema: patchBody }] : [];
  const response =
    dialect === 'v2'
      ? { description: 'OK', schema: bodySchema }
      : { description: 'OK', content: content(['application/json'], bodySchema) };
  return {
    operationId: [target.action, ...words].map((word, at) => (at === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join(''),
    ...(dialect === 'v2' && { consumes: target.method === 'patch' ? patchTypes : ['*/*'], produces: ['application/json'] }),
    parameters: dialect === 'v2' ? [...v2Body, ...parameters] : parameters,
    ...(dialect === 'v3' && sends && { requestBody: { required: true, content: content(consumed, patchBody) } }),
    responses: { '200': response },
    'x-kubernetes-action': target.action,
    'x-kubernetes-group-version-kind': body,
  };
}

/** Kinds without a message of their own (answers that are streams or text) are strings, as upstream has them. */
function schemaOf({ body, schemas }: Item, target: Target): Schema {
  const apiVersion = body.group === '' ? body.version : `${body.group}/${body.version}`;
  const message = messageForKind(apiVersion, target.action === 'list' ? `${body.kind}List` : body.kind);
  return message ? schemas.refer(message.name) : { type: 'string' };
}

function pathParameters(path: string, dialect: Dialect): Schema[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  return names.map((name) => parameter(name, 'path', { type: 'string' }, dialect));
}

const writeParameters = { dryRun: 'string', fieldManager: 'string', fieldValidation: 'string' };
const queryByAction: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  list: {
    allowWatchBookmarks: 'boolean',
    continue: 'string',
    fieldSelector: 'string',
    labelSelector: 'string',
    limit: 'integer',
    resourceVersion: 'string',
    resourceVersionMatch: 'string',
    sendInitialEvents: 'boolean',
    timeoutSeconds: 'integer',
    watch: 'boolean',
  },
  get: {},
  post: writeParameters,
  put: writeParameters,
  patch: { ...writeParameters, force: 'boolean' },
  delete: { dryRun: 'string', gracePeriodSeconds: 'integer', propagationPolicy: 'string' },
  deletecollection: {
    dryRun: 'string',
    fieldSelector: 'string',
    labelSelector: 'string',
    gracePeriodSeconds: 'integer',
    propagationPolicy: 'string',
  },
};

function queryParameters(target: Target, dialect: Dialect): Schema[] {
  const entries = Object.entries({ ...queryByAction[target.action], pretty: 'string' });
  return entries.map(([name, type]) => parameter(name, 'query', { type }, dialect));
}

function parameter(name: string, place: 'path' | 'query', type: { type: string }, dialect: Dialect): Schema {
  const shape = dialect === 'v2' ? type : { schema: type };
  return { name, in: place, ...(place === 'path' && { required: true }), ...shape, ...(dialect === 'v2' && { uniqueItems: true }) };
}
