// The README's tour, typed line by line into a shell: on real nodes where this machine has what they need, else on simulated ones.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isOnPath } from '#cli/bundled-clients.ts';
import { root } from '#root/tools/tidy/source.ts';
import { knowsEndpointVariable } from '../support/aws-cli.ts';
import { nginxImage } from '../support/debian-image.ts';
import { freePort } from '../support/free-port.ts';
import type { TakenMachine } from '../support/real-nodes.ts';
import { lackedForRealNodes, takeMachine } from '../support/real-nodes.ts';

const hasContainers = (await lackedForRealNodes()) === false;
const hasAws = isOnPath('aws');
const keks = join(root, 'bin/keks');

/** The lines of the tour that this machine can run. */
function tourLines(): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = /<!-- tour -->\n```sh\n(?<lines>.*?)```/s.exec(readme)!.groups!['lines']!;
  return block
    .split('\n')
    .filter((line) => line.trim() !== '')
    .filter((line) => (hasContainers || !line.includes('# containers')) && (hasAws || !line.includes('# aws')));
}

describe('the tour of the README', { timeout: 600_000 }, () => {
  let machine: TakenMachine | undefined;
  let environment: NodeJS.ProcessEnv = process.env;

  after(async () => {
    spawnSync(keks, ['down'], { env: environment });
    await machine?.release();
  });

  test('every line does what it says', async () => {
    machine = await takeMachine('keks-tour-');
    const home = await machine.newHome();
    const runtime = hasContainers ? 'containerd' : 'simulated';
    environment = { ...process.env, KEKS_HOME: home, KEKS_PORT: String(await freePort()), KEKS_RUNTIME: runtime, HOME: home };
    if (hasContainers) {
      // No registry can be reached from the machines that tests run on.
      execFileSync(keks, ['up'], { env: environment });
      execFileSync(keks, ['image', 'load', await nginxImage()], { env: environment });
    }
    const lines = tourLines();
    assert(lines.length > 10);
    const script = join(home, 'tour.sh');
    const echoed = lines.flatMap((line) => [`echo ${quote(`$ ${line}`)}`, line]);
    writeFileSync(script, ['set -euo pipefail', `cd '${root}'`, ...(await olderCli()), ...echoed].join('\n'));
    const run = spawnSync('bash', [script], { env: environment, encoding: 'utf8', timeout: 300_000 });
    assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
    assert.match(run.stdout, /is ACTIVE with 2 Ready/);
    assert.match(run.stdout, /deployment "web" successfully rolled out/);
    if (hasContainers) assert.match(run.stdout, /Welcome to nginx!/);
    if (hasAws) assert.match(run.stdout, /0\/1 nodes are available: 1 Too many pods\./);
  });
});

/** What the README tells users of an AWS CLI that does not know AWS_ENDPOINT_URL. */
async function olderCli(): Promise<string[]> {
  if (!hasAws || (await knowsEndpointVariable(process.env))) return [];
  return ['aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
