// The AWS CLI of this machine, whichever version it is.
import { run } from '#lib/command.ts';

/** AWS_ENDPOINT_URL came with 1.29 and 2.13; Debian 12 has an older one, which wants --endpoint-url. */
export async function knowsEndpointVariable(env: NodeJS.ProcessEnv): Promise<boolean> {
  const [, major, minor] = /aws-cli\/(\d+)\.(\d+)/.exec(await run('aws', ['--version'], { env }))!.map(Number) as [number, number, number];
  return minor >= (major === 1 ? 29 : 13);
}
