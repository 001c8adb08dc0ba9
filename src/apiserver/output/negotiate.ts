// Which form of an answer the client wants: JSON or YAML, the object itself, its metadata or a table.
import { notAcceptable } from '#api/meta/errors.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { acceptedTypes } from '../paths.ts';

export interface Format {
  encoding: 'json' | 'yaml';
  form: 'object' | 'metadata' | 'table';
  pretty: boolean;
}

const encodings: Readonly<Record<string, Format['encoding']>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/*': 'json',
  '*/*': 'json',
};
const acceptable = ['application/json', 'application/yaml'];
const prettyAgents = ['curl', 'Wget', 'Mozilla/5.0'];

/** Throws 406 where the client accepts nothing that there is. `list`: a collection is answered or watched. */
export function negotiate(request: HttpRequest, query: URLSearchParams, forms: { list: boolean; transformed: boolean }): Format {
  const accept = request.headers.accept ?? '';
  const pretty = isPretty(request, query);
  if (accept.trim() === '') return { encoding: 'json', form: 'object', pretty };
  for (const { type, parameters } of acceptedTypes(request)) {
    const encoding = encodings[type];
    if (encoding === undefined) continue;
    const form = formOf(parameters, forms);
    if (form !== undefined) return { encoding, form, pretty };
  }
  throw notAcceptable(acceptable);
}

export function contentTypeOf(format: Format): string {
  return format.encoding === 'yaml' ? 'application/yaml' : 'application/json';
}

function formOf(parameters: Record<string, string>, forms: { list: boolean; transformed: boolean }): Format['form'] | undefined {
  const as = parameters.as;
  if (as === undefined) return 'object';
  if (!forms.transformed || parameters.g !== 'meta.k8s.io' || parameters.v !== 'v1') return undefined;
  if (as === 'Table') return 'table';
  return as === (forms.list ? 'PartialObjectMetadataList' : 'PartialObjectMetadata') ? 'metadata' : undefined;
}

/** People with a browser or curl get indented JSON without asking. */
function isPretty(request: HttpRequest, query: URLSearchParams): boolean {
  const asked = query.get('pretty');
  if (asked !== null) return asked === '' || asked === '1' || asked.toLowerCase() === 'true';
  const agent = request.headers['user-agent'] ?? '';
  return prettyAgents.some((prefix) => agent.startsWith(prefix));
}
