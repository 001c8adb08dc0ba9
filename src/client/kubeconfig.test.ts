// Kubeconfig files belong to the user: what is not ours stays as it was.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { KubeconfigEntry } from './kubeconfig.ts';
import { credentialsOf, putKubeconfigEntry, readKubeconfig, removeKubeconfigContext } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
after(() => rmSync(folder, { recursive: true }));

const entry = (name: string, server = 'https://127.0.0.1:1'): KubeconfigEntry => ({
  context: name,
  clusterName: name,
  cluster: { server, 'certificate-authority-data': Buffer.from('CA').toString('base64') },
  userName: `${name}-admin`,
  user: { token: `token-of-${name}` },
});

test('a missing file is created for its owner only, with the entry as the current context', async () => {
  const file = join(folder, 'new', 'config');
  await putKubeconfigEntry(file, entry('one'));
  assert.equal(readKubeconfig(file)['current-context'], 'one');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(credentialsOf(file).server, 'https://127.0.0.1:1');
  assert.equal(credentialsOf(file).ca, 'CA');
});

test('adding a context keeps the others, unknown fields and comments', async () => {
  const file = join(folder, 'kept');
  writeFileSync(
    file,
    `# work clusters
apiVersion: v1
kind: Config
preferences: {colors: true}
clusters:
- name: work
  cluster: {server: "https://work:6443", proxy-url: "http://proxy"} # behind the proxy
users:
- name: me
  user: {client-certificate: cert.pem}
contexts:
- name: work
  context: {cluster: work, user: me, namespace: team}
current-context: work
`,
  );
  await putKubeconfigEntry(file, entry('one'), { makeCurrent: false });
  const text = readFileSync(file, 'utf8');
  assert.match(text, /# work clusters/);
  assert.match(text, /# behind the proxy/);
  const config = readKubeconfig(file);
  assert.equal(config['current-context'], 'work');
  assert.deepEqual(
    config.contexts?.map(({ name }) => name),
    ['work', 'one'],
  );
  assert.match(text, /proxy-url: "http:\/\/proxy"/);
});

test('putting an entry again replaces it and adds none', async () => {
  const file = join(folder, 'again');
  await putKubeconfigEntry(file, entry('one'));
  await putKubeconfigEntry(file, entry('one', 'https://127.0.0.1:2'));
  const config = readKubeconfig(file);
  assert.deepEqual(
    config.clusters?.map(({ cluster }) => cluster.server),
    ['https://127.0.0.1:2'],
  );
  assert.equal(config.users?.length, 1);
});

test('removing a context leaves a cluster that another context uses', async () => {
  const file = join(folder, 'removed');
  await putKubeconfigEntry(file, entry('one'));
  await putKubeconfigEntry(file, { ...entry('one'), context: 'second', userName: 'other' });
  assert.equal(await removeKubeconfigContext(file, 'second'), true);
  const config = readKubeconfig(file);
  assert.deepEqual(
    config.clusters?.map(({ name }) => name),
    ['one'],
  );
  assert.deepEqual(
    config.users?.map(({ name }) => name),
    ['one-admin'],
  );
  assert.equal(config['current-context'], '');
  assert.equal(await removeKubeconfigContext(file, 'second'), false);
});

test('what is no YAML, or no mapping, is refused by name and not overwritten', async () => {
  const file = join(folder, 'broken');
  for (const text of ['a: [1', '- 1\n- 2\n']) {
    writeFileSync(file, text);
    await assert.rejects(putKubeconfigEntry(file, entry('one')), /broken is not a kubeconfig/);
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});

test('a context that does not exist is named', async () => {
  const file = join(folder, 'named');
  await putKubeconfigEntry(file, entry('one'));
  assert.throws(() => credentialsOf(file, 'two'), /context "two" does not exist/);
});
