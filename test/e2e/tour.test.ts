// The README's tour, typed line by line into a shell: on real nodes where this machine has what they need, else on simulated ones.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isOnPath } from '#cli/bundled-clients.ts';
import { root } from '#root/tools/tidy/source.ts';
import { nginxImage } from '../support/debian-image.ts';
import { freePort } from '../support/free-port.ts';

const hasContainers = process.getuid?.() === 0 && ['containerd', 'runc', 'nft', 'docker-registry'].every((command) => isOnPath(command));
const hasAws = isOnPath('aws');

/** The lines of the tour that this machine can run. */
function tourLines(): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const block = /<!-- tour -->\n```sh\n(?<lines>.*?)```/s.exec(readme)!.groups!['lines']!;
  return block
    .split('\n')
    .filter((line) => line.trim() !== '')
    .filter((line) => (hasContainers || !line.includes('# containers')) && (hasAws || !line.includes('# aws')));
}

describe('the tour of the README', { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'keks-tour-'));
  const keks = join(root, 'bin/keks');
  const home = join(folder, 'home');
  let environment: NodeJS.ProcessEnv = {};

  after(() => {
    spawnSync(keks, ['down'], { env: environment });
    rmSync(folder, { recursive: true, force: true });
  });

  test('every line does what it says', async () => {
    const runtime = hasContainers ? 'containerd' : 'simulated';
    environment = { ...process.env, KEKS_HOME: home, KEKS_PORT: String(await freePort()), KEKS_RUNTIME: runtime, HOME: folder };
    if (hasContainers) {
      // No registry can be reached from the machines that tests run on.
      execFileSync(keks, ['up'], { env: environment });
      execFileSync(keks, ['image', 'load', await nginxImage()], { env: environment });
    }
    const lines = tourLines();
    assert(lines.length > 10);
    const script = join(folder, 'tour.sh');
    writeFileSync(
      script,
      ['set -euo pipefail', `cd '${root}'`, ...lines.flatMap((line) => [`echo ${quote(`$ ${line}`)}`, line])].join('\n'),
    );
    const run = spawnSync('bash', [script], { env: environment, encoding: 'utf8', timeout: 200_000 });
    assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
    assert.match(run.stdout, /is ACTIVE with 2 Ready/);
    assert.match(run.stdout, /deployment "web" successfully rolled out/);
    if (hasContainers) assert.match(run.stdout, /Welcome to nginx!/);
    if (hasAws) assert.match(run.stdout, /0\/1 nodes are available: 1 Too many pods\./);
  });
});

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
