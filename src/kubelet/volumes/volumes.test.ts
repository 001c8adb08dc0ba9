// Volumes as containers see them: files in a temporary directory, config maps and secrets on a real API server.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Container, Volume } from '#api/generated/core-v1.ts';
import { configmaps, pods, secrets } from '#api/generated/resources.ts';
import { copyOf } from '#api/meta/object.ts';
import { addressPool, container, startTestNode } from '../kubelet.fixture.ts';
import type { TestNode } from '../kubelet.fixture.ts';
import type { ContainerConfig, ContainerRuntime } from '../runtime/runtime.ts';
import { createSimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { seededRandom } from '#lib/random.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { writeAtomically } from './atomic-writer.ts';

/** A simulated runtime for which files are written all the same, and that keeps what containers were made with. */
function filesRuntime(made: Map<string, ContainerConfig>): (clock: TestNode['clock']) => ContainerRuntime {
  return (clock) => {
    const runtime = createSimulatedRuntime({ clock, random: seededRandom(3), addresses: addressPool('10.0.2') });
    return new Proxy(runtime, {
      get(target, name) {
        if (name === 'withoutFiles') return false;
        if (name === 'adopt') return undefined;
        const value = Reflect.get(target, name, target) as unknown;
        if (name === 'createContainer') {
          return (...args: Parameters<ContainerRuntime['createContainer']>) => {
            made.set(args[1].name, args[1]);
            return target.createContainer(...args);
          };
        }
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
}

describe('volumes', () => {
  const made = new Map<string, ContainerConfig>();
  let directory: string;
  let node: TestNode;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'keks-volumes-'));
    const clock = virtualClock();
    node = await startTestNode({
      clock,
      runtime: filesRuntime(made)(clock),
      directories: { pods: `${directory}/pods`, logs: `${directory}/logs` },
    });
  });
  after(async () => {
    await node.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (let turn = 0; turn < 5000 && !(await condition()); turn++) await node.clock.advance(5);
    assert.ok(await condition());
  };
  /** Moves the clock until the pod's container was made or refused. */
  const run = async (name: string, volumes: Volume[], main: Partial<Container>): Promise<ContainerConfig | undefined> => {
    made.delete(name);
    await node.create(name, { volumes, containers: [container(name, main)] });
    const failed = async () => (await node.events(name)).some((event) => event.startsWith('Failed'));
    await until(async () => made.has(name) || (await failed()));
    return made.get(name);
  };
  const mountOf = (config: ContainerConfig | undefined, at: string): string =>
    config!.mounts.find(({ containerPath }) => containerPath === at)!.hostPath;

  test('a config map is a directory of files that follows changes', async () => {
    const map = await node.client.create(configmaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'default' },
      data: { 'a.txt': 'one', 'b.txt': 'two' },
    });
    const config = await run('mapped', [{ name: 'v', configMap: { name: 'settings', defaultMode: 0o640 } }], {
      volumeMounts: [{ name: 'v', mountPath: '/etc/v' }],
    });
    const place = mountOf(config, '/etc/v');
    assert.deepEqual((await readdir(place)).filter((name) => !name.startsWith('..')).sort(), ['a.txt', 'b.txt']);
    assert.equal((await stat(path.join(place, 'a.txt'))).mode & 0o777, 0o640);
    const changed = copyOf(map);
    changed.data = { 'a.txt': 'three' };
    await node.client.update(configmaps, changed);
    await until(async () => (await readFile(path.join(place, 'a.txt'), 'utf8')) === 'three');
    await until(async () => (await readdir(place)).filter((name) => !name.startsWith('..')).join() === 'a.txt');
  });

  test('a projection joins secret items and the pod itself, each under its path', async () => {
    await node.client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'key', namespace: 'default' },
      data: { pem: Buffer.from('PEM').toString('base64') },
    });
    const sources = [
      { secret: { name: 'key', items: [{ key: 'pem', path: 'tls/key.pem', mode: 0o400 }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
      { configMap: { name: 'absent', optional: true } },
    ];
    const config = await run('projected', [{ name: 'v', projected: { sources } }], {
      volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }],
    });
    const place = mountOf(config, '/v');
    assert.equal(await readFile(path.join(place, 'tls/key.pem'), 'utf8'), 'PEM');
    assert.equal((await stat(path.join(place, 'tls/key.pem'))).mode & 0o777, 0o400);
    assert.equal(await readFile(path.join(place, 'namespace'), 'utf8'), 'default');
  });

  test('a service account token is asked for the pod and renewed at four fifths of its life', async () => {
    const sources = [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600, audience: 'vault' } }];
    const config = await run('token', [{ name: 'v', projected: { sources } }], { volumeMounts: [{ name: 'v', mountPath: '/v' }] });
    const read = () => readFile(path.join(mountOf(config, '/v'), 'token'), 'utf8');
    const first = await read();
    assert.match(first, /^token for Pod token of default until 2026-01-01T01:/);
    await node.clock.advance(2_820_000);
    assert.equal(await read(), first);
    await node.clock.advance(120_000);
    await until(async () => (await read()) !== first);
  });

  test('a missing secret is told as FailedMount and the pod waits', async () => {
    const config = await run('waits', [{ name: 'v', secret: { secretName: 'absent' } }], {
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    });
    assert.equal(config, undefined);
    assert.ok((await node.events('waits')).includes('FailedMount: MountVolume.SetUp failed for volume "v" : secret "absent" not found'));
    assert.equal((await node.pod('waits'))?.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'ContainerCreating');
  });

  test('emptyDir lives with its pod, subPath stays inside, hosts and message files are mounted', async () => {
    const config = await run('empty', [{ name: 'v', emptyDir: {} }], {
      volumeMounts: [{ name: 'v', mountPath: '/data', subPath: 'deep/er' }],
    });
    const place = mountOf(config, '/data');
    await writeFile(path.join(place, 'file'), 'kept');
    assert.match(place, /volumes\/kubernetes\.io~empty-dir\/v\/deep\/er$/);
    assert.match(await readFile(mountOf(config, '/etc/hosts'), 'utf8'), /^10\.0\.2\.\d+\tempty$/m);
    assert.ok(mountOf(config, '/dev/termination-log'));
    await node.client.delete(pods, { namespace: 'default', name: 'empty' });
    await until(async () => (await stat(place).catch(() => undefined)) === undefined);
  });

  test('a hosts file that is not there any more is written before the next container starts', async () => {
    const config = await run('loses', [], { command: ['false'] });
    const hosts = mountOf(config, '/etc/hosts');
    await rm(hosts);
    await mkdir(hosts);
    made.delete('loses');
    await until(async () => made.has('loses'));
    assert.match(await readFile(hosts, 'utf8'), /\tloses$/m);
  });

  test('hostPath types are checked in upstream words', async () => {
    const config = await run('hosted', [{ name: 'v', hostPath: { path: path.join(directory, 'made'), type: 'DirectoryOrCreate' } }], {
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    });
    assert.equal(mountOf(config, '/v'), path.join(directory, 'made'));
    await run('unhosted', [{ name: 'v', hostPath: { path: path.join(directory, 'nothing'), type: 'Directory' } }], {});
    assert.ok(
      (await node.events('unhosted'))[0]!.endsWith(`hostPath type check failed: ${path.join(directory, 'nothing')} is not a directory`),
    );
  });

  test('a subPath through a link never leaves the volume', async () => {
    const host = path.join(directory, 'made');
    await symlink('/', path.join(host, 'root'));
    const config = await run('escapes', [{ name: 'v', hostPath: { path: host } }], {
      volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'root/etc' }],
    });
    assert.equal(config, undefined);
    await symlink(directory, path.join(host, 'up'));
    await run('makes', [{ name: 'v', hostPath: { path: host } }], {
      volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'up/made-outside/x' }],
    });
    assert.equal(await stat(path.join(directory, 'made-outside')).catch(() => undefined), undefined, 'nothing is made outside either');
    await until(
      async () => (await node.pod('escapes'))?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    );
  });
});

test("a pod's group may read the files of its volumes", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'keks-group-'));
  // Anybody may give files to a group of their own; root to any.
  const group = process.getuid!() === 0 ? 2000 : process.getgid!();
  const files = new Map([['token', { data: Buffer.from('secret'), mode: 0o600 }]]);
  assert.equal(await writeAtomically(directory, files, 'x1', group), true);
  const { gid, mode } = await stat(path.join(directory, 'token'));
  assert.deepEqual([gid, mode & 0o777], [group, 0o640]);
  assert.equal(await writeAtomically(directory, files, 'x2', group), false);
  await rm(directory, { recursive: true });
});

test('an atomic write swaps all files at once and leaves unchanged ones alone', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'keks-atomic-'));
  const files = (data: Record<string, string>) =>
    new Map(Object.entries(data).map(([name, text]) => [name, { data: Buffer.from(text), mode: 0o644 }]));
  assert.equal(await writeAtomically(directory, files({ a: '1', 'sub/b': '2' }), 'x1'), true);
  assert.equal(await writeAtomically(directory, files({ a: '1', 'sub/b': '2' }), 'x2'), false);
  assert.equal(await writeAtomically(directory, files({ a: '3' }), 'x3'), true);
  assert.deepEqual((await readdir(directory)).sort(), ['..data', '..x3', 'a']);
  await symlink('..gone', path.join(directory, '..data_tmp'));
  assert.equal(await writeAtomically(directory, files({ a: '4' }), 'x4'), true, 'what a killed writer left is no obstacle');
  await rm(directory, { recursive: true });
});
