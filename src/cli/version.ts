// keks version.
import packageJson from '#root/package.json' with { type: 'json' };
import type { OutputFormat } from './output.ts';
import { print } from './output.ts';

export const version: string = packageJson.version;
const kubernetes = '1.36';

export function showVersion({ output }: { output: OutputFormat }): void {
  const value = { keks: version, kubernetes, node: process.versions.node };
  print(output, value, () => `keks ${version} (Kubernetes ${kubernetes}, Node ${process.versions.node})`);
}
