// `keks image load`: archives of every make, read as they are; pushed into Debian's docker-registry where it is installed.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock as clock } from '#lib/clock.ts';
import type { TarFile } from '#lib/tar.ts';
import { writeTar } from '#lib/tar.ts';
import { writeImageArchive } from './image-archive.ts';
import { formatImageName, parseImageName, repositoryOf } from './image-name.ts';
import { loadImage } from './load-image.ts';
import { readImageArchive } from './read-archive.ts';
import { ensureRegistry, hasRegistryProgram, stopRegistry } from './registry-server.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keks-load-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function fileOf(content: Buffer | string): Promise<string> {
  const file = join(directory, `${createHash('sha256').update(content).digest('hex').slice(0, 12)}.tar`);
  await writeFile(file, content);
  return file;
}

async function read(content: Buffer | string, name?: string) {
  const handle = await open(await fileOf(content));
  try {
    return await readImageArchive(handle, { architecture: 'amd64', ...(name !== undefined && { name }) });
  } finally {
    await handle.close();
  }
}

const oci = (name: string, gzip = false) =>
  writeImageArchive({
    name,
    architecture: 'amd64',
    gzip,
    layers: [[{ path: 'a', data: 'one' }], [{ path: 'b', data: 'two' }]],
    command: ['/a'],
  });

/** As `docker save` of older days writes it: a directory per layer, one of them shared by a link. */
function dockerArchive(change: { tags?: string[] | null; without?: string } = {}): Buffer {
  const layer = writeTar([{ path: 'a', data: 'one' }]);
  const files: TarFile[] = [
    { path: 'aaa', directory: true },
    { path: 'aaa/layer.tar', data: layer },
    { path: 'bbb/layer.tar', linkTarget: '../aaa/layer.tar' },
    { path: 'ccc/layer.tar', data: gzipSync(layer) },
    { path: 'config.json', data: '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}' },
    {
      path: 'manifest.json',
      data: JSON.stringify([
        {
          Config: 'config.json',
          RepoTags: change.tags === undefined ? ['shop:1.2'] : change.tags,
          Layers: ['aaa/layer.tar', 'bbb/layer.tar', 'ccc/layer.tar'],
        },
      ]),
    },
  ];
  return writeTar(files.filter(({ path }) => path !== change.without));
}

test('names are completed as Docker and containerd do', () => {
  const complete = (name: string) => formatImageName(parseImageName(name));
  assert.equal(complete('nginx'), 'docker.io/library/nginx:latest');
  assert.equal(complete('me/app:2'), 'docker.io/me/app:2');
  assert.equal(complete('quay.io/x/y'), 'quay.io/x/y:latest');
  assert.equal(complete('localhost:5000/app:1'), 'localhost:5000/app:1');
  assert.equal(complete('nginx:1@sha256:abc'), 'docker.io/library/nginx:1');
  for (const wrong of ['', 'Nginx', 'a//b', 'a:', 'a:b:c', '-x', 'a b'])
    assert.throws(() => parseImageName(wrong), /invalid image name/, wrong);
});

test('equal paths of two hosts are two images', () => {
  assert.equal(repositoryOf(parseImageName('nginx')), 'library/nginx');
  assert.equal(repositoryOf(parseImageName('quay.io/library/nginx')), 'quay.io/library/nginx');
  assert.equal(repositoryOf(parseImageName('localhost:5000/app')), 'localhost_5000/app');
});

test('an OCI archive is read with its name and all its blobs', async () => {
  const [image] = await read(oci('docker.io/library/shop:1'));
  assert.deepEqual(image!.names, ['docker.io/library/shop:1']);
  assert.equal(image!.blobs.length, 3);
  assert.equal(image!.manifests.length, 1);
});

test('an archive of docker save is read, shared and compressed layers included', async () => {
  const [image] = await read(dockerArchive());
  assert.deepEqual(image!.names, ['docker.io/library/shop:1.2']);
  const manifest = JSON.parse(image!.manifests[0]!.content.toString()) as { layers: { mediaType: string; digest: string }[] };
  const types = manifest.layers.map(({ mediaType }) => mediaType.replace('application/vnd.oci.image.layer.v1.', ''));
  assert.deepEqual(types, ['tar', 'tar', 'tar+gzip']);
  assert.equal(manifest.layers[0]!.digest, manifest.layers[1]!.digest);
  assert.equal(image!.blobs.length, 3);
});

test('an image without a name needs one', async () => {
  await assert.rejects(read(dockerArchive({ tags: null })), /does not name its image/);
  assert.deepEqual((await read(dockerArchive({ tags: null }), 'mine:3'))[0]!.names, ['docker.io/library/mine:3']);
});

test('whatever is wrong with a file is said', async () => {
  await assert.rejects(read('hello'), /not a tar archive/);
  await assert.rejects(read(Buffer.alloc(4096, 'x')), /not a tar archive/);
  await assert.rejects(read(writeTar([{ path: 'readme', data: 'hi' }])), /neither index\.json \(OCI\) nor manifest\.json/);
  await assert.rejects(read(writeTar([{ path: 'index.json', data: '{' }])), /index\.json in the archive is not valid JSON/);
  await assert.rejects(read(writeTar([{ path: 'index.json', data: '{"manifests":[]}' }])), /lists no image/);
  await assert.rejects(read(dockerArchive({ without: 'ccc/layer.tar' })), /lacks ccc\/layer\.tar/);
  await assert.rejects(read(dockerArchive({ tags: ['No Such:Name:x'] })), /invalid image name/);
  await assert.rejects(read(oci('docker.io/library/shop:1').subarray(0, 3000)), /cut off/);
});

test('images land in the registry, where a damaged one is refused', {
  skip: !(await hasRegistryProgram()) && 'needs docker-registry',
}, async () => {
  const alive = setInterval(() => undefined, 1000);
  const home = join(directory, 'home');
  const registry = await ensureRegistry({ home, clock, mirror: 'http://192.0.2.1:5000' });
  try {
    for (const [archive, name, path] of [
      [oci('docker.io/library/shop:1', true), 'docker.io/library/shop:1', 'library/shop/manifests/1'],
      [dockerArchive({ tags: ['quay.io/me/shop:2'] }), 'quay.io/me/shop:2', 'quay.io/me/shop/manifests/2'],
    ] as const) {
      const loaded = await loadImage({ file: await fileOf(archive), registry });
      assert.deepEqual(
        loaded.map((image) => image.name),
        [name],
      );
      const accept = 'application/vnd.oci.image.manifest.v1+json';
      const answer = await fetch(`${registry.url}/v2/${path}`, { headers: { accept } });
      assert.equal(answer.headers.get('docker-content-digest'), loaded[0]!.digest);
    }
    const damaged = oci('docker.io/library/hurt:1');
    damaged[damaged.indexOf('two')] = 'T'.charCodeAt(0);
    await assert.rejects(loadImage({ file: await fileOf(damaged), registry }), /is damaged: its content has another digest/);
    await assert.rejects(loadImage({ file: '/nowhere.tar', registry }), /^ArchiveError: \/nowhere\.tar: no such file$/);
    const again = await ensureRegistry({ home, clock, mirror: 'http://192.0.2.1:5000' });
    assert.equal(again.port, registry.port);
  } finally {
    await stopRegistry(home, clock);
    clearInterval(alive);
  }
});
