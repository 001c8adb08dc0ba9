// The real kubectl writes: apply, diff, replace, patch, edit, kustomize, dry runs, and what it says to manifests that are wrong.
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { machineKubectl } from '#root/test/support/kubectl.ts';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
before(async () => {
  kube = await startKubectlCluster({ nodes: 1 });
});
after(() => kube?.stop());

const container = (more: object = {}) => ({ name: 'c', image: 'nginx:1', ...more });
const api = (more: { labels?: object; replicas?: number; container?: object } = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'api', labels: more.labels ?? { app: 'api', tier: 'back' } },
  spec: {
    replicas: more.replicas ?? 2,
    selector: { matchLabels: { app: 'api' } },
    template: { metadata: { labels: { app: 'api' } }, spec: { containers: [container(more.container)] } },
  },
});
const settings = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });
const list = (...items: object[]) => ({ input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });

test('apply creates, changes, and removes what is gone from the manifest', async () => {
  const { ok, run } = await kube.namespace('applying');
  const first = list(api({ container: { env: [{ name: 'A', value: '1' }] } }), settings({ a: '1', b: '2' }));
  const difference = await run('diff', '-f', '-', first);
  assert.equal(difference.code, 1);
  assert.match(difference.stdout, /\n\+ {2}name: api\n[^]*\n\+ {2}replicas: 2\n/);
  assert.equal(await ok('apply', '-f', '-', first), 'deployment.apps/api created\nconfigmap/settings created\n');
  assert.equal(await ok('apply', '-f', '-', first), 'deployment.apps/api unchanged\nconfigmap/settings unchanged\n');
  assert.equal(await ok('diff', '-f', '-', first), '');

  // Not in any manifest, so apply leaves it alone.
  await ok('annotate', 'deployment', 'api', 'by=hand');
  const second = list(api({ labels: { app: 'api', stage: 'test' }, container: { image: 'nginx:2' } }), settings({ a: '1' }));
  assert.match((await run('diff', '-f', '-', second)).stdout, /-\s+tier: back\n[^]*\+\s+- image: nginx:2\n[^]*- {2}b: "2"\n/);
  assert.equal(await ok('apply', '-f', '-', second), 'deployment.apps/api configured\nconfigmap/settings configured\n');
  const live = JSON.parse(await ok('get', 'deployment', 'api', '-o', 'json'));
  assert.deepEqual(live.metadata.labels, { app: 'api', stage: 'test' });
  assert.equal(live.metadata.annotations.by, 'hand');
  assert.deepEqual([live.spec.template.spec.containers[0].image, live.spec.template.spec.containers[0].env], ['nginx:2', undefined]);
  assert.equal(await ok('get', 'configmap', 'settings', '-o', 'jsonpath={.data}'), '{"a":"1"}');
  assert.match(await ok('apply', 'view-last-applied', 'configmap', 'settings'), /data:\n {2}a: "1"\n/);
});

test('apply --prune deletes what the manifests no longer hold', async () => {
  const { ok } = await kube.namespace('pruning');
  const labelled = (name: string) => ({ ...settings({ a: '1' }), metadata: { name, labels: { set: 'one' } } });
  const prune = ['--prune', '-l', 'set=one', '--prune-allowlist=core/v1/ConfigMap'];
  await ok('apply', '-f', '-', ...prune, list(labelled('kept'), labelled('dropped')));
  assert.equal(await ok('apply', '-f', '-', ...prune, list(labelled('kept'))), 'configmap/kept unchanged\nconfigmap/dropped pruned\n');
});

test('dry runs change nothing', async () => {
  const { ok } = await kube.namespace('trying');
  assert.equal(
    await ok('create', 'deployment', 'web', '--image=nginx', '--dry-run=server'),
    'deployment.apps/web created (server dry run)\n',
  );
  assert.equal(await ok('create', 'deployment', 'web', '--image=nginx', '--dry-run=client', '-o', 'name'), 'deployment.apps/web\n');
  assert.equal(await ok('apply', '-f', '-', '--dry-run=server', list(settings({}))), 'configmap/settings created (server dry run)\n');
  assert.equal(await ok('get', 'deployments,configmaps', '-o', 'name'), 'configmap/kube-root-ca.crt\n');
  assert.equal(
    await ok('delete', 'configmap', 'kube-root-ca.crt', '--dry-run=server'),
    'configmap "kube-root-ca.crt" deleted from trying namespace (server dry run)\n',
  );
  assert.equal(await ok('get', 'configmaps', '-o', 'name'), 'configmap/kube-root-ca.crt\n');
});

test('replace, also by force, and at an old resourceVersion', async () => {
  const { ok, fails } = await kube.namespace('replacing');
  await ok('create', '-f', '-', list(settings({ a: '1' })));
  const old = JSON.parse(await ok('get', 'configmap', 'settings', '-o', 'json'));
  assert.equal(await ok('replace', '-f', '-', list(settings({ a: '2' }))), 'configmap/settings replaced\n');
  assert.equal(
    await fails('replace', '-f', '-', { input: JSON.stringify(old) }),
    'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "settings": the object has been modified; please apply your changes to the latest version and try again\n',
  );
  assert.match(
    await ok('replace', '--force', '-f', '-', list(settings({ a: '3' }))),
    /configmap "settings" deleted.*\nconfigmap\/settings replaced\n/,
  );
  const now = JSON.parse(await ok('get', 'configmap', 'settings', '-o', 'json'));
  assert.notEqual(now.metadata.uid, old.metadata.uid);
  assert.deepEqual(now.data, { a: '3' });
  assert.equal(
    await fails('replace', '-f', '-', list({ ...settings({}), metadata: { name: 'none' } })),
    'Error from server (NotFound): error when replacing "STDIN": configmaps "none" not found\n',
  );
});

test('patch in its three forms, and of subresources', async () => {
  const { ok, fails } = await kube.namespace('patching');
  await ok('create', '-f', '-', list(api()));
  const patch = (type: string, change: object, ...more: string[]) => [
    'patch',
    'deployment',
    'api',
    `--type=${type}`,
    '-p',
    JSON.stringify(change),
    ...more,
  ];
  assert.equal(
    await ok(...patch('strategic', { spec: { template: { spec: { containers: [{ name: 'd', image: 'x' }] } } } })),
    'deployment.apps/api patched\n',
  );
  assert.equal(await ok('get', 'deployment', 'api', '-o', 'jsonpath={.spec.template.spec.containers[*].name}'), 'd c');
  assert.equal(await ok(...patch('merge', { metadata: { labels: { tier: null, z: '1' } } })), 'deployment.apps/api patched\n');
  assert.equal(await ok('get', 'deployment', 'api', '-o', 'jsonpath={.metadata.labels}'), '{"app":"api","z":"1"}');
  assert.equal(
    await ok(
      ...patch('json', [
        { op: 'test', path: '/spec/replicas', value: 2 },
        { op: 'replace', path: '/spec/replicas', value: 4 },
      ]),
    ),
    'deployment.apps/api patched\n',
  );
  assert.equal(await ok(...patch('merge', { spec: { replicas: 1 } }, '--subresource=scale')), 'scale.autoscaling/api patched\n');
  assert.equal(await ok('get', 'deployment', 'api', '-o', 'jsonpath={.spec.replicas}'), '1');
  assert.equal(await ok(...patch('merge', { metadata: { labels: { z: '1' } } })), 'deployment.apps/api patched (no change)\n');

  assert.equal(
    await fails(...patch('json', [{ op: 'remove', path: '/nope' }])),
    'The request is invalid: the server rejected our request due to an error in our request\n',
  );
  assert.equal(
    await fails(...patch('strategic', { spec: { replicas: 'x' } })),
    'The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32\n',
  );
  assert.match(
    await fails(...patch('merge', { spec: { selector: { matchLabels: { app: 'b' } } } })),
    /The Deployment "api" is invalid: \n\* spec.template.metadata.labels: Invalid value: .*`selector` does not match template `labels`\n\* spec.selector: Invalid value: .*field is immutable/,
  );
  assert.match(await fails('patch', 'deployment', 'api', '-p', '{"spec":'), /unexpected end of JSON input|yaml:|error parsing/);
});

test('edit with an editor that changes, spoils or leaves the file', async () => {
  const { ok, fails } = await kube.namespace('editing');
  await ok('create', '-f', '-', list(api({ replicas: 1 })));
  const editor = async (from: string, to: string) => {
    const path = await kube.file('editor.sh', `#!/bin/sh\nsed -i "s/${from}/${to}/" "$1"\n`);
    await chmod(path, 0o755);
    return { env: { KUBE_EDITOR: path, TMPDIR: kube.home } };
  };
  assert.equal(await ok('edit', 'deployment', 'api', await editor('replicas: 1', 'replicas: 3')), 'deployment.apps/api edited\n');
  assert.equal(await ok('get', 'deployment', 'api', '-o', 'jsonpath={.spec.replicas}'), '3');
  assert.equal(
    (await kube.run('edit', '-n', 'editing', 'deployment', 'api', await editor('nothing', 'x'))).stderr,
    'Edit cancelled, no changes made.\n',
  );
  // kubectl opens the file once more with the reason on top, and keeps it when nothing becomes of it.
  const refused = async (to: string) => {
    const said = await fails('edit', 'deployment', 'api', await editor('replicas: 3', `replicas: ${to}`));
    assert.match(said, /^error: deployments.apps "api" is invalid\n[^]*error: Edit cancelled, no valid changes were saved.\n$/);
    return await readFile(/stored to "(.+)"/.exec(said)![1]!, 'utf8');
  };
  assert.match(
    await refused('x'),
    /# deployments.apps "api" was not valid:\n# \* patch: Invalid value: "map\[spec:map\[replicas:x\].*\]": unrecognized type: int32\n/,
  );
  assert.match(await refused('-3'), /# \* spec.replicas: Invalid value: -3: must be greater than or equal to 0\n/);
  assert.equal(await ok('get', 'deployment', 'api', '-o', 'jsonpath={.spec.replicas}'), '3');
});

test('kustomize', async () => {
  const { ok } = await kube.namespace('customising');
  await mkdir(join(kube.home, 'overlay'));
  await kube.file('overlay/api.yaml', api());
  await kube.file('overlay/kustomization.yaml', {
    namePrefix: 'test-',
    resources: ['api.yaml'],
    configMapGenerator: [{ name: 'env', literals: ['a=1'] }],
  });
  const directory = join(kube.home, 'overlay');
  assert.match(await ok('apply', '-k', directory), /^configmap\/test-env-\w{10} created\ndeployment.apps\/test-api created\n$/);
  assert.match(await ok('delete', '-k', directory), /deployment.apps "test-api" deleted/);
});

test('manifests that are wrong', async () => {
  const { fails, ok, run } = await kube.namespace('refusing');
  const create = (object: object | string, ...more: string[]) =>
    fails('create', '-f', '-', ...more, { input: typeof object === 'string' ? object : JSON.stringify(object) });
  const pod = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
  const misspelt = pod('p', { containers: [{ name: 'c', image: 'i', imag: 'z' }] });
  assert.equal(
    await create(misspelt),
    'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imag"\n',
  );
  const warned = await run('create', '-f', '-', '--validate=warn', { input: JSON.stringify(misspelt) });
  assert.deepEqual([warned.stdout, warned.stderr], ['pod/p created\n', 'Warning: unknown field "spec.containers[0].imag"\n']);
  await ok('delete', 'pod', 'p', '--grace-period=0', '--force');
  assert.equal(await ok('create', '-f', '-', '--validate=false', { input: JSON.stringify(misspelt) }), 'pod/p created\n');
  assert.match(
    await create(pod('q', { containers: 'c' })),
    /json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type \[\]v1.Container\n/,
  );
  assert.match(
    await create(pod('Q_', { containers: [] })),
    /^The Pod "Q_" is invalid: \n\* metadata.name: Invalid value: "Q_": a lowercase RFC 1123 subdomain must consist of .*\n\* spec.containers: Required value\n$/,
  );
  assert.match(await create('{"kind":'), /error parsing STDIN: unexpected EOF/);
  assert.match(
    await create({ apiVersion: 'example.com/v1', kind: 'Gizmo', metadata: { name: 'x' } }),
    /no matches for kind "Gizmo" in version "example.com\/v1"\nensure CRDs are installed first\n/,
  );
  assert.match(await fails('create', 'configmap', 'c', '-n', 'none'), /error: failed to create configmap: namespaces "none" not found\n/);
  assert.match(
    await fails('create', 'namespace', 'Bad_Name'),
    /^The Namespace "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of/,
  );
  assert.equal(await fails('create', 'namespace', 'refusing'), 'Error from server (AlreadyExists): namespaces "refusing" already exists\n');
});

test('an older kubectl writes to the same cluster', { skip: machineKubectl === undefined && 'no other kubectl here' }, async () => {
  const { ok } = await kube.namespace('older');
  const older = { program: machineKubectl! };
  await ok('create', 'deployment', 'web', '--image=nginx', '--replicas=2', older);
  assert.match(await ok('rollout', 'status', 'deployment/web', '--timeout=20s', older), /successfully rolled out/);
  assert.equal(await ok('set', 'image', 'deployment/web', 'nginx=nginx:2', older), 'deployment.apps/web image updated\n');
  assert.equal(await ok('apply', '-f', '-', { ...older, ...list(settings({ a: '1' })) }), 'configmap/settings created\n');
  assert.equal(await ok('apply', '-f', '-', { ...older, ...list(settings({ a: '2' })) }), 'configmap/settings configured\n');
  assert.equal(await ok('scale', 'deployment/web', '--replicas=0', older), 'deployment.apps/web scaled\n');
  assert.equal(await ok('delete', 'deployment', 'web', '--cascade=foreground', older), 'deployment.apps "web" deleted\n');
});
