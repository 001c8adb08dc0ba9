// keks env: what a shell needs so that aws and kubectl speak to this keks: eval "$(keks env)"
import { dirname } from 'node:path';
import { homeOf } from '#fleet/home.ts';
import { bundledClient, isOnPath } from './bundled-clients.ts';
import { adminCredentials } from './credentials.ts';
import { requireDaemon } from './daemon.ts';
import type { OutputFormat } from './output.ts';
import { print } from './output.ts';

export async function env({ output }: { output: OutputFormat }): Promise<void> {
  const home = homeOf();
  const { endpoint, region } = await requireDaemon(home);
  const { accessKeyId, secretAccessKey } = await adminCredentials(home);
  const variables: Record<string, string> = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    KUBECONFIG: home.kubeconfig,
  };
  const kubectl = isOnPath('kubectl') ? undefined : await bundledClient('kubectl');
  if (kubectl !== undefined) variables['PATH'] = `${dirname(kubectl)}:${process.env['PATH'] ?? ''}`;
  // A session token or profile of another account would be mixed into every request.
  const unset = 'unset AWS_SESSION_TOKEN AWS_PROFILE';
  print(output, variables, () => [unset, ...Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`)].join('\n'));
}

function quote(value: string): string {
  return /^[\w./:@%+-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
