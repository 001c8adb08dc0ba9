// What fields and types mean, in upstream's words: read, when a document is made, from the typings of the published JavaScript client,
// which carries them. Where that package is not installed, documents come without.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface TypeDescription {
  description?: string;
  /** By JSON name; fields that are objects of a type of their own have none: their type's serves. */
  fields: ReadonlyMap<string, string>;
}

/** Answers what is known of a message such as `core/v1.PodSpec`. */
export type Descriptions = (message: string) => TypeDescription;

const nothing: TypeDescription = { fields: new Map() };

export function clientDescriptions(): Descriptions {
  const models = findModels();
  if (models === undefined) return () => nothing;
  return (message) => {
    const file = fileNamesOf(message)
      .map((name) => join(models, name))
      .find((path) => existsSync(path));
    return file === undefined ? nothing : readTypings(readFileSync(file, 'utf8'));
  };
}

function findModels(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@kubernetes/client-node');
    return join(dirname(entry), 'gen/models');
  } catch {
    return undefined;
  }
}

/** `core/v1.PodSpec` stands in V1PodSpec.d.ts; a name that several groups have is prefixed with the group. */
function fileNamesOf(message: string): string[] {
  const [, group, version, name] = /^([\w-]+)\/(\w+)\.(\w+)$/.exec(message) ?? [];
  if (group === undefined) return [];
  const versioned = capitalize(version!) + name;
  return [`${capitalize(group)}${versioned}.d.ts`, `${versioned}.d.ts`];
}

const classComment = /\/\*\*\n\* (?<text>.*)\n\*\/\nexport declare class/;
const fieldComment = /\/\*\*\n {4}\* (?<text>.*)\n {4}\*\/\n {4}'(?<field>[^']+)'/g;

function readTypings(text: string): TypeDescription {
  const fields = new Map<string, string>();
  for (const { groups } of text.matchAll(fieldComment)) fields.set(jsonNameOf(groups!['field']!), unescape(groups!['text']!));
  const description = classComment.exec(text)?.groups!['text'];
  return { ...(description !== undefined && { description: unescape(description) }), fields };
}

/** The generator writes names that JavaScript reserves with an underscore in front: `_continue`, `_default`. */
function jsonNameOf(field: string): string {
  return field.startsWith('_') ? field.slice(1) : field;
}

/** The generator escapes quotes. */
function unescape(text: string): string {
  return text.replace(/\\(["'`])/g, '$1');
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
