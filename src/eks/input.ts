// An operation's input: gathered from path, query and body, then held against the model's types and limits.
import { AwsError } from '#aws/aws-error.ts';
import { queryPairs } from '#aws/sigv4.ts';
import { eksError } from './errors.ts';
import type { OperationName } from './generated/types.ts';
import type { MemberModel, ShapeModel } from './model.ts';
import { membersOf, operations, shapeOf } from './model.ts';

interface WireInput {
  operation: OperationName;
  labels: Readonly<Record<string, string>>;
  query: string;
  body: Buffer;
}

/** The input as the operation's types say. Unknown members are dropped, as AWS does; wrong types and broken limits throw. */
export function readInput(wire: WireInput): unknown {
  const structure = operations[wire.operation].input;
  const body = parseBody(wire.body);
  const query = Map.groupBy(queryPairs(wire.query), ([name]) => name);
  const input: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(membersOf(structure))) {
    const wireName = member.wireName ?? name;
    const value =
      member.location === 'uri'
        ? wire.labels[wireName]
        : member.location === 'querystring'
          ? fromQuery(
              shapeOf(member.shape),
              query.get(wireName)?.map(([, text]) => text),
            )
          : convert(body[wireName], shapeOf(member.shape));
    if (value !== undefined) input[name] = value;
  }
  const problems = problemsOf(input, membersOf(structure), '');
  if (problems.length > 0) throw refusal(wire.operation, problems, input);
  return input;
}

function refusal(operation: OperationName, problems: string[], input: Record<string, unknown>): AwsError {
  const { errors } = operations[operation];
  const code =
    errors.includes('InvalidParameterException') || !errors.includes('BadRequestException')
      ? 'InvalidParameterException'
      : 'BadRequestException'; // prettier-ignore
  const clusterName = input.clusterName ?? input.name;
  const message =
    problems.length === 1 && problems[0]!.startsWith('The ')
      ? problems[0]!
      : `${problems.length} validation error${problems.length === 1 ? '' : 's'} detected: ${problems.join('; ')}`;
  return eksError(code, message, typeof clusterName === 'string' && operation !== 'CreateCluster' ? { clusterName } : {});
}

function parseBody(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch (error) {
    throw serialization('Unable to parse the request body as JSON', error);
  }
  if (!isRecord(value)) throw serialization('Start of structure or map found where not expected.');
  return value;
}

function fromQuery(shape: ShapeModel, values: string[] | undefined): unknown {
  if (values === undefined) return undefined;
  if (shape.type === 'list') return values;
  const text = values.at(-1)!;
  if (shape.type === 'integer') {
    if (!/^-?\d{1,9}$/.test(text)) throw serialization('STRING_VALUE can not be converted to an Integer');
    return Number(text);
  }
  if (shape.type === 'boolean') return text === 'true';
  return text;
}

const valueNames: Record<string, string> = { string: 'STRING_VALUE', number: 'NUMBER_VALUE', boolean: 'TRUE_VALUE' };
const wantedNames = { string: 'a String', integer: 'an Integer', boolean: 'a Boolean', timestamp: 'a Timestamp' };

/** The value with its types checked and unknown members dropped. JSON null means absent. */
function convert(value: unknown, shape: ShapeModel): unknown {
  if (value === undefined || value === null) return undefined;
  switch (shape.type) {
    case 'structure': {
      if (!isRecord(value)) throw serialization('Unexpected field type');
      const copy: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(shape.members)) {
        const converted = convert(value[name], shapeOf(member.shape));
        if (converted !== undefined) copy[name] = converted;
      }
      return copy;
    }
    case 'list':
      if (!Array.isArray(value)) throw serialization('Expected list or null');
      return value.map((item) => convert(item, shapeOf(shape.of)));
    case 'map':
      if (!isRecord(value)) throw serialization('Expected map or null');
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item, shapeOf(shape.value))]));
    default:
      return convertScalar(value, shape.type);
  }
}

function convertScalar(value: unknown, type: keyof typeof wantedNames): unknown {
  const fits = type === 'integer' ? Number.isSafeInteger(value) : type === 'timestamp' ? typeof value === 'number' : typeof value === type;
  if (fits) return value;
  const name = valueNames[typeof value];
  if (name === undefined) throw serialization('Start of structure or map found where not expected.');
  throw serialization(`${name} can not be converted to ${wantedNames[type]}`);
}

function problemsOf(value: Record<string, unknown>, members: Readonly<Record<string, MemberModel>>, path: string): string[] {
  return Object.entries(members).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const item = value[name];
    if (item === undefined) return member.required ? [`Value null at '${at}' failed to satisfy constraint: Member must not be null`] : [];
    return valueProblems(item, shapeOf(member.shape), at);
  });
}

function valueProblems(value: unknown, shape: ShapeModel, at: string): string[] {
  const fail = (rule: string) => [`Value '${show(value)}' at '${at}' failed to satisfy constraint: Member must ${rule}`];
  if (shape.type === 'structure') return problemsOf(value as Record<string, unknown>, shape.members, at);
  if (shape.enum !== undefined && !shape.enum.includes(value as string)) return fail(`satisfy enum value set: [${shape.enum.join(', ')}]`);
  if (shape.pattern !== undefined && !new RegExp(`${shape.pattern}$`).test(value as string)) return [patternProblem(at, shape.pattern)];
  const size = sizeOf(value, shape);
  const measure = shape.type === 'integer' ? 'value' : 'length';
  if (shape.min !== undefined && size < shape.min) return fail(`have ${measure} greater than or equal to ${shape.min}`);
  if (shape.max !== undefined && size > shape.max) return fail(`have ${measure} less than or equal to ${shape.max}`);
  if (shape.type === 'list')
    return (value as unknown[]).flatMap((item, i) => valueProblems(item ?? '', shapeOf(shape.of), `${at}.${i + 1}.member`));
  if (shape.type === 'map') {
    return Object.entries(value as object).flatMap(([key, item]) => [
      ...valueProblems(key, shapeOf(shape.key), at),
      ...valueProblems(item ?? '', shapeOf(shape.value), `${at}.${key}.member`),
    ]);
  }
  return [];
}

/** EKS' own sentence for names. */
function patternProblem(at: string, pattern: string): string {
  return (
    `The ${at} parameter contains invalid characters. It should conform to the regular expression "${pattern.replace('\\-', '-')}"` +
    'In other words, it should start with a number or letter, and can contain numbers, letters, dashes, and underscores.'
  );
}

function sizeOf(value: unknown, shape: ShapeModel): number {
  if (shape.type === 'integer') return value as number;
  if (shape.type === 'map') return Object.keys(value as object).length;
  return typeof value === 'string' || Array.isArray(value) ? value.length : 0;
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function serialization(message: string, cause?: unknown): AwsError {
  return new AwsError('SerializationException', 400, message, {}, { cause });
}
