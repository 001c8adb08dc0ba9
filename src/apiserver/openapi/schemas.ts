// Messages as OpenAPI schemas, for both versions of the specification, with Kubernetes' extensions.
import { type Field, type FieldType, messageOf } from '#api/schema.ts';
import type { Descriptions } from './descriptions.ts';
import { definitionName, intOrStringName, microTimeName, quantityName, rawName, timeName } from './names.ts';

export type Dialect = 'v2' | 'v3';
export type Schema = Record<string, unknown>;

export interface Schemas {
  /** By definition name. */
  readonly definitions: Record<string, Schema>;
  /** A reference to the message; it and all it refers to are among the definitions afterwards. */
  refer(message: string): Schema;
}

const scalars: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  integer: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  number: { type: 'number', format: 'double' },
  boolean: { type: 'boolean' },
  bytes: { type: 'string', format: 'byte' },
  duration: { type: 'string' },
  object: { type: 'object' },
};

const namedScalars: Readonly<Record<string, { name: string; v2: Schema; v3: Schema }>> = {
  quantity: { name: quantityName, v2: { type: 'string' }, v3: { oneOf: [{ type: 'string' }, { type: 'number' }] } },
  intOrString: {
    name: intOrStringName,
    v2: { type: 'string', format: 'int-or-string' },
    v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
  time: { name: timeName, v2: { type: 'string', format: 'date-time' }, v3: { type: 'string', format: 'date-time' } },
  microtime: { name: microTimeName, v2: { type: 'string', format: 'date-time' }, v3: { type: 'string', format: 'date-time' } },
  raw: { name: rawName, v2: { type: 'object' }, v3: { type: 'object' } },
};

/** `kindsOf` tells which kinds a message is the body of, by group and version. */
export function createSchemas(dialect: Dialect, kindsOf: (message: string) => object[], describe: Descriptions): Schemas {
  const definitions: Record<string, Schema> = {};
  const place = dialect === 'v2' ? '#/definitions/' : '#/components/schemas/';

  const refer = (message: string): Schema => {
    const name = definitionName(message);
    if (!definitions[name]) {
      // Before its fields: messages refer to themselves.
      definitions[name] = {};
      Object.assign(definitions[name], definitionOf(message));
    }
    return { $ref: place + name };
  };

  const definitionOf = (message: string): Schema => {
    const { fields } = messageOf(message);
    const properties: Record<string, Schema> = {};
    const { description, fields: texts } = describe(message);
    for (const field of fields.values()) properties[field.name] = withText(propertyOf(field), texts.get(field.name));
    const required = [...fields.values()].filter((field) => field.required).map((field) => field.name);
    const kinds = kindsOf(message);
    return {
      ...(description !== undefined && { description }),
      type: 'object',
      ...(required.length > 0 && { required }),
      ...(fields.size > 0 && { properties }),
      ...(kinds.length > 0 && { 'x-kubernetes-group-version-kind': kinds }),
    };
  };

  const propertyOf = (field: Field): Schema => {
    const shape = shapeOf(field.type);
    const extensions = extensionsOf(field);
    if (!('$ref' in shape)) return { ...shape, ...extensions };
    if (Object.keys(extensions).length === 0) return shape;
    // Beside a reference OpenAPI v3 ignores everything: upstream wraps it.
    return dialect === 'v3' ? { allOf: [shape], ...extensions } : { ...shape, ...extensions };
  };

  /** Beside a bare reference a text would be ignored, too: the type's own stands in. */
  const withText = (property: Schema, description: string | undefined): Schema =>
    description === undefined || '$ref' in property ? property : { description, ...property };

  const shapeOf = (type: FieldType): Schema => {
    if ('list' in type) return { type: 'array', items: shapeOf(type.list) };
    if ('map' in type) return { type: 'object', additionalProperties: shapeOf(type.map) };
    if ('message' in type) return refer(type.message);
    const named = namedScalars[type.scalar];
    if (!named) return scalars[type.scalar]!;
    definitions[named.name] ??= named[dialect];
    return { $ref: place + named.name };
  };

  return { definitions, refer };
}

function extensionsOf(field: Field): Schema {
  return {
    ...(field.default !== undefined && { default: field.default }),
    ...(field.enum && { enum: field.enum }),
    ...(field.listType && { 'x-kubernetes-list-type': field.listType }),
    ...(field.listMapKeys && { 'x-kubernetes-list-map-keys': field.listMapKeys }),
    ...(field.atomic && { 'x-kubernetes-map-type': 'atomic' }),
    ...(field.patchStrategy && { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') }),
    ...(field.patchMergeKey && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
  };
}
