// The OpenAPI v2 document in gnostic's protobuf form, which kubectl asks for. Only what our own documents contain is written.
import protobuf from 'protobufjs/minimal.js';
import type { Schema } from './schemas.ts';

type Write = (writer: protobuf.Writer) => void;

/** Field numbers of gnostic's `openapi.v2` messages. */
const numbers = {
  document: { swagger: 1, info: 2, paths: 8, definitions: 9 },
  info: { title: 1, version: 2 },
  pathItem: { get: 2, put: 3, post: 4, delete: 5, patch: 8, parameters: 9 },
  operation: { operationId: 5, produces: 6, consumes: 7, parameters: 8, responses: 9, extension: 13 },
  bodyParameter: { name: 2, in: 3, required: 4, schema: 5 },
  pathParameter: { required: 1, in: 2, name: 4, type: 5 },
  queryParameter: { in: 2, name: 4, type: 6 },
  schema: { ref: 1, format: 2, default: 5, required: 19, enum: 20, additional: 21, type: 22, items: 23, properties: 25, extension: 31 },
} as const;

export function encodeSwagger(document: Schema): Buffer {
  const writer = protobuf.Writer.create();
  const { document: field } = numbers;
  text(writer, field.swagger, document.swagger);
  message(writer, field.info, (inner) => {
    const info = document.info as Schema;
    text(inner, numbers.info.title, info.title);
    text(inner, numbers.info.version, info.version);
  });
  message(writer, field.paths, (inner) => {
    for (const [path, item] of Object.entries(document.paths as Record<string, Schema>))
      named(inner, 2, path, (value) => pathItem(value, item));
  });
  message(writer, field.definitions, (inner) => {
    for (const [name, body] of Object.entries(document.definitions as Record<string, Schema>))
      named(inner, 1, name, (value) => schema(value, body));
  });
  return Buffer.from(writer.finish());
}

function pathItem(writer: protobuf.Writer, item: Schema): void {
  for (const method of ['get', 'put', 'post', 'delete', 'patch'] as const) {
    const found = item[method] as Schema | undefined;
    if (found) message(writer, numbers.pathItem[method], (inner) => operation(inner, found));
  }
  for (const each of (item.parameters ?? []) as Schema[]) parameter(writer, numbers.pathItem.parameters, each);
}

function operation(writer: protobuf.Writer, body: Schema): void {
  const { operation: field } = numbers;
  text(writer, field.operationId, body.operationId);
  for (const type of body.produces as string[]) text(writer, field.produces, type);
  for (const type of body.consumes as string[]) text(writer, field.consumes, type);
  for (const each of body.parameters as Schema[]) parameter(writer, field.parameters, each);
  message(writer, field.responses, (inner) => {
    for (const [code, response] of Object.entries(body.responses as Record<string, Schema>)) {
      named(inner, 1, code, (value) => message(value, 1, (answer) => responseBody(answer, response)));
    }
  });
  extensions(writer, field.extension, body);
}

function responseBody(writer: protobuf.Writer, response: Schema): void {
  text(writer, 1, response.description);
  message(writer, 2, (item) => message(item, 1, (inner) => schema(inner, response.schema as Schema)));
}

/** ParametersItem → Parameter → the one of its kind. */
function parameter(writer: protobuf.Writer, number: number, body: Schema): void {
  const inBody = body.in === 'body';
  const write: Write = inBody
    ? (inner) => bodyParameter(inner, body)
    : (inner) => message(inner, body.in === 'path' ? 4 : 3, (kind) => simpleParameter(kind, body));
  message(writer, number, (item) => message(item, 1, (inner) => message(inner, inBody ? 1 : 2, write)));
}

function bodyParameter(writer: protobuf.Writer, body: Schema): void {
  const { bodyParameter: field } = numbers;
  text(writer, field.name, body.name);
  text(writer, field.in, body.in);
  flag(writer, field.required, true);
  message(writer, field.schema, (inner) => schema(inner, body.schema as Schema));
}

function simpleParameter(writer: protobuf.Writer, body: Schema): void {
  const inPath = body.in === 'path';
  const field = inPath ? numbers.pathParameter : numbers.queryParameter;
  if (inPath) flag(writer, numbers.pathParameter.required, true);
  text(writer, field.in, body.in);
  text(writer, field.name, body.name);
  text(writer, field.type, body.type);
}

function schema(writer: protobuf.Writer, body: Schema): void {
  const { schema: field } = numbers;
  text(writer, field.ref, body.$ref);
  text(writer, field.format, body.format);
  if (body.default !== undefined) any(writer, field.default, body.default);
  for (const name of (body.required ?? []) as string[]) text(writer, field.required, name);
  for (const value of (body.enum ?? []) as unknown[]) any(writer, field.enum, value);
  const { additionalProperties, items, properties, type } = body as Record<string, Schema | undefined>;
  if (additionalProperties) {
    message(writer, field.additional, (item) => message(item, 1, (inner) => schema(inner, additionalProperties)));
  }
  if (type) message(writer, field.type, (inner) => text(inner, 1, type));
  if (items) message(writer, field.items, (item) => message(item, 1, (inner) => schema(inner, items)));
  if (properties) {
    message(writer, field.properties, (inner) => {
      for (const [name, each] of Object.entries(properties)) named(inner, 1, name, (value) => schema(value, each as Schema));
    });
  }
  extensions(writer, field.extension, body);
}

function extensions(writer: protobuf.Writer, number: number, body: Schema): void {
  for (const name of Object.keys(body)) {
    if (name.startsWith('x-')) named(writer, number, name, (value) => text(value, 2, yaml(body[name])));
  }
}

/** An Any whose YAML is the value; JSON is YAML. */
function any(writer: protobuf.Writer, number: number, value: unknown): void {
  message(writer, number, (inner) => text(inner, 2, yaml(value)));
}

function yaml(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** An entry of a map: name = 1, value = 2. */
function named(writer: protobuf.Writer, number: number, name: string, write: Write): void {
  message(writer, number, (inner) => {
    text(inner, 1, name);
    message(inner, 2, write);
  });
}

function message(writer: protobuf.Writer, number: number, write: Write): void {
  writer.uint32((number << 3) | 2).fork();
  write(writer);
  writer.ldelim();
}

function text(writer: protobuf.Writer, number: number, value: unknown): void {
  if (typeof value === 'string' && value !== '') writer.uint32((number << 3) | 2).string(value);
}

function flag(writer: protobuf.Writer, number: number, value: boolean): void {
  writer.uint32(number << 3).bool(value);
}
