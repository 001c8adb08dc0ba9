// The real kubectl and helm for tests: the ones that a checkout brings along; nothing has to be installed on the machine.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { bundledClient } from '#cli/bundled-clients.ts';

/** Path of kubectl 1.35. */
export const kubectlPath = () => unpacked('kubectl');

/** Path of helm 4. */
export const helmPath = () => unpacked('helm');

/** The machine's own kubectl, an older one, if there is any. */
export const machineKubectl = ['/usr/bin/kubectl', '/usr/local/bin/kubectl'].find((path) => existsSync(path));

async function unpacked(name: 'kubectl' | 'helm'): Promise<string> {
  const path = await bundledClient(name);
  assert(path, 'the development dependencies are not installed');
  return path;
}
