// A typed constant per resource, named by its plural: what clients and controllers hand to a Client.
import type { Row } from '../tsv.ts';
import type { ResourceEntry } from './resource-table.ts';
import { fileOf } from './type-files.ts';

export function resourceConstants(resources: ResourceEntry[], packages: Row[]): string {
  const served = resources.filter((resource) => resource.served !== 'off');
  const imports: string[] = [];
  const constants = served.map((resource) => {
    const name = constantName(resource, served);
    const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    const file = fileOf(packages.find((row) => row['apiVersion'] === apiVersion)!['package']!);
    const type = `${file.split('-').map(capital).join('')}${resource.kind}`;
    imports.push(`import type { ${resource.kind} as ${type} } from './${file}.ts';\n`);
    const { group, version, plural, kind, namespaced } = resource;
    const value = JSON.stringify({ group, version, plural, kind, namespaced });
    return `export const ${name}: ResourceType<${type}> = ${value};\n`;
  });
  return `// The resources that a cluster serves, each bound to its object's type.
// Generated from tools/generate/inputs/kubernetes by \`npm run generate\`: never edit.
import type { ResourceType } from '../meta/object.ts';
${imports.join('')}
${constants.join('')}`;
}

/** The core group's or the preferred version's resource has the plain plural; others say what sets them apart. */
function constantName(resource: ResourceEntry, served: ResourceEntry[]): string {
  if (resource.group === 'metrics.k8s.io') return `${resource.singular || resource.plural.replace(/s$/, '')}Metrics`;
  const namesakes = served.filter((other) => other.plural === resource.plural && other.group !== 'metrics.k8s.io');
  const first = namesakes.toSorted((a, b) => b.groupPriority - a.groupPriority || b.versionPriority - a.versionPriority)[0];
  if (first === resource) return resource.plural;
  return first?.group === resource.group
    ? `${resource.plural}${capital(resource.version)}`
    : `${resource.group.split('.')[0]}${capital(resource.plural)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
