// Every file generated from the Kubernetes tables.
import { readTable } from '../tsv.ts';
import { bootstrapRbac } from './bootstrap-rbac.ts';
import { fieldSelectors } from './field-selectors.ts';
import { printerColumns } from './printer-columns.ts';
import { resourceConstants } from './resource-constants.ts';
import { resourceTable } from './resource-table.ts';
import { schemaTable } from './schema-table.ts';
import { typeFiles } from './type-files.ts';

const folder = 'src/api/generated';

export function kubernetesFiles(): Map<string, string> {
  const packages = readTable('packages');
  const fields = readTable('fields');
  const resources = resourceTable(readTable('resources'), readTable('groups'), readTable('strategies'));
  const files = new Map<string, string>();
  for (const [name, text] of typeFiles(packages, fields)) files.set(`${folder}/${name}.ts`, text);
  files.set(`${folder}/resources.ts`, resourceConstants(resources, packages));
  files.set(`${folder}/schema.json`, lines(schemaTable(packages, fields)));
  files.set(`${folder}/resources.json`, lines(resources));
  files.set(`${folder}/printer-columns.json`, lines(printerColumns(readTable('printer-columns'))));
  files.set(`${folder}/field-selectors.json`, lines(fieldSelectors(readTable('field-selectors'))));
  files.set(`${folder}/bootstrap-rbac.json`, lines(bootstrapRbac(readTable('bootstrap-rbac'))));
  return files;
}

/** JSON with one entry a line, so that a change is a readable diff. */
function lines(value: object): string {
  if (Array.isArray(value)) return `[\n${value.map((entry) => JSON.stringify(entry)).join(',\n')}\n]\n`;
  const entries = Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${JSON.stringify(entry)}`);
  return `{\n${entries.join(',\n')}\n}\n`;
}
