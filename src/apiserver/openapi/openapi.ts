// Answers /openapi/v3 and below and /openapi/v2; documents are made when first asked for and kept until resources change.
import { methodNotAllowed, notAcceptable } from '#api/meta/errors.ts';
import { messageForKind } from '#api/schema.ts';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { type DiscoveredGroup, type DiscoveredResource, groupResources } from '../discovery/discovered-resource.ts';
import { acceptedTypes, answerDocument, type Document, documentOf, isRead, jsonDocument, type PathHandler } from '../paths.ts';
import type { Descriptions } from './descriptions.ts';
import { clientDescriptions } from './descriptions.ts';
import { pathsOf } from './paths.ts';
import { createSchemas, type Schema } from './schemas.ts';
import { encodeSwagger } from './swagger-protobuf.ts';

export interface OpenApi {
  handle: PathHandler;
  /** Call it when resources come or go. */
  changed(): void;
}

/** Clients ask with either spelling; the answer has the first, as Go's MIME parser refuses the '@' of the second. */
const swaggerTypes = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
];

export function createOpenApi(options: {
  resources(): readonly DiscoveredResource[];
  gitVersion: string;
  /** Default: those of the published JavaScript client. */
  describe?: Descriptions;
}): OpenApi {
  const documents = new Map<string, Document>();
  let groups: DiscoveredGroup[] | undefined;
  const current = () => (groups ??= groupResources(options.resources()));
  const cached = (key: string, make: () => Document): Document => {
    const known = documents.get(key) ?? make();
    documents.set(key, known);
    return known;
  };
  const makers: Makers = { info: { title: 'Kubernetes', version: options.gitVersion }, describe: options.describe ?? clientDescriptions() };

  const groupVersion = (path: string): Document | undefined => {
    for (const group of current()) {
      for (const { version, resources } of group.versions) {
        if (path === v3Path(group.name, version)) return cached(path, () => jsonDocument(v3Document(makers, resources)));
      }
    }
    return undefined;
  };
  const index = (): Document =>
    cached('/openapi/v3', () => {
      const all = current().flatMap((group) => group.versions.map(({ version }) => v3Path(group.name, version)));
      const entries = all.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(groupVersion(path)!)}` }]);
      return jsonDocument({ paths: Object.fromEntries(entries) });
    });

  const answer = (request: HttpRequest): HttpResponse | undefined => {
    const { path } = request;
    if (path === '/openapi/v3' || path === '/openapi/v3/') return answerDocument(request, index());
    if (path.startsWith('/openapi/v3/')) return answerHashed(request, groupVersion(path.slice('/openapi/v3/'.length)));
    if (path !== '/openapi/v2') return undefined;
    const json = () => cached('/openapi/v2', () => jsonDocument(v2Document(makers, options.resources())));
    const wanted = swaggerType(request);
    if (wanted === 'application/json') return answerDocument(request, json());
    return answerDocument(
      request,
      cached(wanted, () => documentOf(encodeSwagger(JSON.parse(json().body.toString()) as Schema), wanted)),
    );
  };

  return {
    handle(request) {
      if (!request.path.startsWith('/openapi/')) return Promise.resolve(undefined);
      if (!isRead(request)) return Promise.reject(methodNotAllowed());
      try {
        return Promise.resolve(answer(request));
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    changed() {
      groups = undefined;
      documents.clear();
    },
  };
}

function v3Path(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

function hashOf(document: Document): string {
  return document.etag.replaceAll('"', '');
}

/** With the right hash the answer never changes; with an old one the client is sent to the new. */
function answerHashed(request: HttpRequest, document: Document | undefined): HttpResponse | undefined {
  if (!document) return undefined;
  if (!accepts(request, 'application/json')) throw notAcceptable(['application/json']);
  const hash = new URLSearchParams(request.query).get('hash');
  if (hash === null || hash === '') return answerDocument(request, document);
  if (hash !== hashOf(document)) {
    return { status: 301, headers: { location: `${request.path}?hash=${hashOf(document)}` }, body: Buffer.alloc(0) };
  }
  return answerDocument(request, document, { 'cache-control': 'public, immutable', expires: 'Fri, 31 Dec 2100 23:59:59 GMT' });
}

function accepts(request: HttpRequest, wanted: string): boolean {
  return acceptedTypes(request).some(({ type }) => type === wanted || type === '*/*' || type === 'application/*');
}

function swaggerType(request: HttpRequest): string {
  for (const { type } of acceptedTypes(request)) {
    if (swaggerTypes.includes(type)) return swaggerTypes[0]!;
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'application/json';
  }
  throw notAcceptable(['application/json', ...swaggerTypes]);
}

/** The kinds that a message is the body of, within the resources given. */
function kindIndex(resources: readonly DiscoveredResource[]): (message: string) => object[] {
  const kinds = new Map<string, Map<string, object>>();
  const add = (group: string, version: string, kind: string) => {
    const message = messageForKind(group === '' ? version : `${group}/${version}`, kind);
    if (!message) return;
    const known = kinds.get(message.name) ?? new Map<string, object>();
    kinds.set(message.name, known.set(`${group}/${version}/${kind}`, { group, version, kind }));
  };
  for (const { type, subresources } of resources) {
    add(type.group, type.version, type.kind);
    add(type.group, type.version, `${type.kind}List`);
    for (const child of subresources) add(child.bodyGroup, child.bodyVersion, child.kind);
  }
  return (message) => [...(kinds.get(message)?.values() ?? [])];
}

interface Makers {
  info: object;
  describe: Descriptions;
}

function v3Document({ info, describe }: Makers, resources: readonly DiscoveredResource[]): object {
  const schemas = createSchemas('v3', kindIndex(resources), describe);
  const paths = pathsOf(resources, 'v3', schemas);
  const bearer = { type: 'apiKey', name: 'authorization', in: 'header' };
  return { openapi: '3.0.0', info, paths, components: { schemas: sorted(schemas.definitions), securitySchemes: { BearerToken: bearer } } };
}

function v2Document({ info, describe }: Makers, resources: readonly DiscoveredResource[]): object {
  const schemas = createSchemas('v2', kindIndex(resources), describe);
  const paths = pathsOf(resources, 'v2', schemas);
  return { swagger: '2.0', info, paths: sorted(paths), definitions: sorted(schemas.definitions) };
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
