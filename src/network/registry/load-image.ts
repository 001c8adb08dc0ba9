// `keks image load`: an archive's images into the home's registry, over the registry's own HTTP interface (OCI distribution).
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { parseImageName, repositoryOf } from './image-name.ts';
import { ociArchitecture } from './image-archive.ts';
import { addMirrorHost } from './mirror-hosts.ts';
import type { ArchivedImage, BlobSource } from './read-archive.ts';
import { ArchiveError, readImageArchive } from './read-archive.ts';
import type { Registry } from './registry-server.ts';

export interface LoadedImage {
  /** Complete: `docker.io/library/nginx:latest`. */
  name: string;
  digest: string;
}

/** Throws ArchiveError for whatever is wrong with the file. `name` names the image of an archive that holds one. */
export async function loadImage(options: { file: string; registry: Registry; name?: string }): Promise<LoadedImage[]> {
  const { file, registry, name } = options;
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new ArchiveError(error.code === 'ENOENT' ? `${file}: no such file` : `cannot read ${file}: ${error.message}`, { cause: error });
  });
  try {
    if (!(await handle.stat()).isFile()) throw new ArchiveError('not a file');
    const images = await readImageArchive(handle, { architecture: ociArchitecture(), ...(name !== undefined && { name }) });
    const loaded: LoadedImage[] = [];
    for (const image of images) loaded.push(...(await pushImage(handle, image, registry)));
    return loaded;
  } catch (error) {
    if (error instanceof ArchiveError && !error.message.startsWith(file))
      throw new ArchiveError(`${file}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await handle.close();
  }
}

async function pushImage(file: FileHandle, image: ArchivedImage, registry: Registry): Promise<LoadedImage[]> {
  const loaded: LoadedImage[] = [];
  for (const fullName of image.names) {
    const name = parseImageName(fullName);
    const repository = `${registry.url}/v2/${repositoryOf(name)}`;
    for (const blob of image.blobs) await pushBlob(file, blob, repository);
    for (const { digest, mediaType, content } of image.manifests) {
      await send('PUT', `${repository}/manifests/${digest}`, [201], { type: mediaType, body: content });
    }
    const last = image.manifests.at(-1)!;
    await send('PUT', `${repository}/manifests/${name.tag}`, [201], { type: last.mediaType, body: last.content });
    await addMirrorHost(registry.hostsDirectory, registry.mirror, name.host);
    loaded.push({ name: fullName, digest: last.digest });
  }
  return loaded;
}

async function pushBlob(file: FileHandle, blob: BlobSource, repository: string): Promise<void> {
  if ((await send('HEAD', `${repository}/blobs/${blob.digest}`, [200, 404])).statusCode === 200) return;
  const { headers } = await send('POST', `${repository}/blobs/uploads/`, [202]);
  const target = new URL(headers.location!, repository);
  target.searchParams.set('digest', blob.digest);
  await send('PUT', target.href, [201], { type: 'application/octet-stream', blob: { file, ...blob } });
}

interface Content {
  type: string;
  body?: Buffer;
  blob?: BlobSource & { file: FileHandle };
}

async function send(method: string, url: string, expected: number[], content?: Content): Promise<IncomingMessage> {
  const length = content?.body?.length ?? content?.blob?.size ?? 0;
  const headers = { 'content-length': length, ...(content && { 'content-type': content.type }) };
  const sent = request(url, { method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
  });
  // Awaited below; a failure before then must not count as unhandled.
  answered.catch(() => undefined);
  if (content?.blob !== undefined && length > 0) {
    const { file, offset, size } = content.blob;
    // A registry that refuses closes early: its answer tells why, not the broken pipe.
    await pipeline(file.createReadStream({ start: offset, end: offset + size - 1, autoClose: false }), sent).catch(() => undefined);
  } else sent.end(content?.body);
  const response = await answered.catch((error: Error) => {
    throw new Error(`the image registry does not answer: ${error.message}`, { cause: error });
  });
  const said = await text(response);
  if (expected.includes(response.statusCode!)) return response;
  if (said.includes('DIGEST_INVALID'))
    throw new ArchiveError(`${content?.blob?.digest ?? 'a blob'} is damaged: its content has another digest`);
  throw new Error(`the image registry refused ${method} ${url}: ${response.statusCode} ${said.trim()}`);
}
