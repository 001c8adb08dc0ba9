// Which form of an answer the client wants: JSON, YAML or protobuf, the object itself, its metadata or a table.
import { notAcceptable } from '#api/meta/errors.ts';
import { protobufType } from '#api/protobuf/wire.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { acceptedTypes } from '../paths.ts';

export interface Format {
  encoding: 'json' | 'yaml' | 'protobuf';
  form: 'object' | 'metadata' | 'table';
  pretty: boolean;
}

/** What can be answered. `list`: a collection; `transformed`: metadata alone or a table; `builtIn`: the kind has a protobuf form. */
export interface Forms {
  list: boolean;
  transformed: boolean;
  builtIn: boolean;
}

const encodings: Readonly<Record<string, Format['encoding']>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  [protobufType]: 'protobuf',
  'application/*': 'json',
  '*/*': 'json',
};
const acceptable = ['application/json', 'application/yaml'];
const prettyAgents = ['curl', 'Wget', 'Mozilla/5.0'];

/** Throws 406 where the client accepts nothing that there is. */
export function negotiate(request: HttpRequest, query: URLSearchParams, forms: Forms): Format {
  const accept = request.headers.accept ?? '';
  const pretty = isPretty(request, query);
  if (accept.trim() === '') return { encoding: 'json', form: 'object', pretty };
  for (const { type, parameters } of acceptedTypes(request)) {
    const encoding = encodings[type];
    if (encoding === undefined) continue;
    const form = formOf(parameters, forms);
    if (form === undefined || (encoding === 'protobuf' && !hasProtobufForm(form, forms))) continue;
    return { encoding, form, pretty };
  }
  throw notAcceptable(forms.builtIn ? [...acceptable, protobufType] : acceptable);
}

export function contentTypeOf(format: Format): string {
  if (format.encoding === 'protobuf') return protobufType;
  return format.encoding === 'yaml' ? 'application/yaml' : 'application/json';
}

/** Watches in protobuf say that they are streams; those in JSON do not. */
export function watchTypeOf(format: Format): string {
  return format.encoding === 'protobuf' ? `${protobufType};stream=watch` : 'application/json';
}

/** Tables have none; metadata has one whatever the kind is. */
function hasProtobufForm(form: Format['form'], { builtIn }: Forms): boolean {
  return form === 'metadata' || (form === 'object' && builtIn);
}

function formOf(parameters: Record<string, string>, forms: Forms): Format['form'] | undefined {
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
