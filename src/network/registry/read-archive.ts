// What an image archive holds: OCI layouts and the output of `docker save`, old and new, as one plan of blobs and manifests to push.
// Nothing is unpacked: blobs are ranges of the archive's file.
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import type { TarEntry } from '#lib/tar.ts';
import { readAt, readTarEntries } from '#lib/tar.ts';
import { formatImageName, parseImageName } from './image-name.ts';

/** Something is wrong with the file that was given, said in words for whoever gave it. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
}

export interface BlobSource {
  digest: string;
  offset: number;
  size: number;
}

interface ManifestSource {
  mediaType: string;
  digest: string;
  content: Buffer;
}

export interface ArchivedImage {
  /** Complete, such as `docker.io/library/nginx:latest`; several names may belong to one image. */
  names: string[];
  blobs: BlobSource[];
  /** In the order they must be pushed; the last one gets the tags. */
  manifests: ManifestSource[];
}

interface Descriptor {
  mediaType?: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
  platform?: { os?: string; architecture?: string };
}

interface Manifest {
  mediaType?: string;
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
}

interface Archive {
  file: FileHandle;
  entries: Map<string, TarEntry>;
  architecture: string;
}

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const maxJsonBytes = 8 << 20;

/** Throws ArchiveError. `name` replaces the names that the archive gives, for archives of one image. */
export async function readImageArchive(file: FileHandle, options: { architecture: string; name?: string }): Promise<ArchivedImage[]> {
  const entries = await readTarEntries(file).catch((error: Error) => {
    throw new ArchiveError(error.message, { cause: error });
  });
  const archive: Archive = { file, entries: new Map(entries.map((entry) => [entry.path, entry])), architecture: options.architecture };
  const images = archive.entries.has('manifest.json')
    ? await readDockerArchive(archive)
    : archive.entries.has('index.json')
      ? await readOciArchive(archive)
      : undefined;
  if (images === undefined) {
    throw new ArchiveError('not an image archive: it has neither index.json (OCI) nor manifest.json (docker save)');
  }
  if (options.name !== undefined) {
    if (images.length > 1) throw new ArchiveError(`the archive holds ${images.length} images: they cannot all be named ${options.name}`);
    for (const image of images) image.names = [completeName(options.name)];
  }
  for (const image of images) {
    if (image.names.length === 0) throw new ArchiveError('the archive does not name its image: save it by name, or give one');
  }
  return images;
}

async function readDockerArchive(archive: Archive): Promise<ArchivedImage[]> {
  const items = await readJson<{ Config?: string; RepoTags?: string[] | null; Layers?: string[] }[]>(archive, 'manifest.json');
  if (!Array.isArray(items) || items.length === 0) throw new ArchiveError('manifest.json lists no image');
  return Promise.all(
    items.map(async (item) => {
      if (typeof item.Config !== 'string' || !Array.isArray(item.Layers))
        throw new ArchiveError('manifest.json has an image without Config or Layers');
      const config = await hashedBlob(archive, item.Config);
      const layers: (BlobSource & { mediaType: string })[] = [];
      for (const path of item.Layers) layers.push({ ...(await hashedBlob(archive, path)), mediaType: await layerType(archive, path) });
      const content = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: ociManifest,
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size },
          layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
        }),
      );
      const names = (item.RepoTags ?? []).map(completeName);
      return { names, blobs: unique([config, ...layers]), manifests: [manifestOf(ociManifest, content)] };
    }),
  );
}

async function readOciArchive(archive: Archive): Promise<ArchivedImage[]> {
  const index = await readJson<Manifest>(archive, 'index.json');
  if (!Array.isArray(index.manifests) || index.manifests.length === 0) throw new ArchiveError('index.json lists no image');
  const images = new Map<string, ArchivedImage>();
  for (const descriptor of index.manifests) {
    // Signatures and attestations stand beside images in some archives.
    if (descriptor.platform?.os === 'unknown') continue;
    const name = nameOf(descriptor);
    const known = images.get(descriptor.digest);
    if (known !== undefined) known.names.push(...name);
    else images.set(descriptor.digest, { names: name, ...(await readImage(archive, descriptor)) });
  }
  return [...images.values()];
}

async function readImage(archive: Archive, descriptor: Descriptor): Promise<{ blobs: BlobSource[]; manifests: ManifestSource[] }> {
  const content = await readBlob(archive, descriptor.digest);
  const manifest = parse<Manifest>(content, descriptor.digest);
  const mediaType = descriptor.mediaType ?? manifest.mediaType ?? (manifest.manifests ? ociIndex : ociManifest);
  if (Array.isArray(manifest.manifests)) return readIndex(archive, manifest.manifests, manifestOf(mediaType, content));
  if (manifest.config === undefined || !Array.isArray(manifest.layers)) {
    throw new ArchiveError(`${descriptor.digest} is not an image manifest: it has no config or no layers`);
  }
  const blobs = [manifest.config, ...manifest.layers].map(({ digest }) => blobOf(archive, digest));
  return { blobs: unique(blobs), manifests: [manifestOf(mediaType, content)] };
}

/** All platforms if all are there; else this machine's alone, as `docker save` leaves the others' content out. */
async function readIndex(archive: Archive, children: Descriptor[], index: ManifestSource) {
  const parts: { blobs: BlobSource[]; manifests: ManifestSource[] }[] = [];
  let missing: unknown;
  for (const child of children) {
    try {
      parts.push(await readImage(archive, child));
    } catch (error) {
      missing = error;
      const { os, architecture } = child.platform ?? {};
      if (os === 'linux' && architecture === archive.architecture) throw error;
    }
  }
  if (missing === undefined) {
    return { blobs: unique(parts.flatMap(({ blobs }) => blobs)), manifests: [...parts.flatMap(({ manifests }) => manifests), index] };
  }
  const ours = children.find(({ platform }) => platform?.os === 'linux' && platform.architecture === archive.architecture);
  if (ours === undefined) throw new ArchiveError(`the archive has no image for linux/${archive.architecture}`);
  return readImage(archive, ours);
}

/** containerd's annotation holds the whole name; OCI's own one a tag only, or whatever the writer thought useful. */
function nameOf(descriptor: Descriptor): string[] {
  const full = descriptor.annotations?.['io.containerd.image.name'];
  if (full !== undefined) return [completeName(full)];
  const reference = descriptor.annotations?.['org.opencontainers.image.ref.name'];
  const isTagOnly = reference === undefined || /^(latest|v?\d[\w.-]*)$/.test(reference);
  return isTagOnly ? [] : [completeName(reference)];
}

function completeName(name: string): string {
  try {
    return formatImageName(parseImageName(name));
  } catch (error) {
    throw new ArchiveError((error as Error).message, { cause: error });
  }
}

function manifestOf(mediaType: string, content: Buffer): ManifestSource {
  return { mediaType, digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, content };
}

function unique(blobs: BlobSource[]): BlobSource[] {
  return [...new Map(blobs.map(({ digest, offset, size }) => [digest, { digest, offset, size }])).values()];
}

function blobOf(archive: Archive, digest: string): BlobSource {
  if (!/^sha(256|512):[0-9a-f]+$/.test(digest)) throw new ArchiveError(`not a digest: ${digest}`);
  const { offset, size } = entryOf(archive, `blobs/${digest.replace(':', '/')}`);
  return { digest, offset, size };
}

async function readBlob(archive: Archive, digest: string): Promise<Buffer> {
  const { offset, size } = blobOf(archive, digest);
  if (size > maxJsonBytes) throw new ArchiveError(`${digest} is too large for a manifest`);
  return readAt(archive.file, offset, size);
}

async function hashedBlob(archive: Archive, path: string): Promise<BlobSource> {
  const { offset, size } = entryOf(archive, path);
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += 1 << 20) hash.update(await readAt(archive.file, offset + at, Math.min(1 << 20, size - at)));
  return { digest: `sha256:${hash.digest('hex')}`, offset, size };
}

async function layerType(archive: Archive, path: string): Promise<string> {
  const { offset, size } = entryOf(archive, path);
  const start = await readAt(archive.file, offset, Math.min(4, size));
  const suffix = start.readUInt16BE(0) === 0x1f8b ? '+gzip' : start.length === 4 && start.readUInt32BE(0) === 0x28b52ffd ? '+zstd' : '';
  return `application/vnd.oci.image.layer.v1.tar${suffix}`;
}

/** Follows the links by which old `docker save` shares layers within the archive. */
function entryOf(archive: Archive, path: string, depth = 0): TarEntry {
  const entry = archive.entries.get(path);
  if (entry === undefined || depth > 8) throw new ArchiveError(`the archive lacks ${path}`);
  if (entry.type === 'symlink') return entryOf(archive, posix.join(posix.dirname(path), entry.linkTarget), depth + 1);
  if (entry.type === 'hardlink') return entryOf(archive, entry.linkTarget, depth + 1);
  if (entry.type !== 'file') throw new ArchiveError(`${path} in the archive is not a file`);
  return entry;
}

async function readJson<T>(archive: Archive, path: string): Promise<T> {
  const { offset, size } = entryOf(archive, path);
  if (size > maxJsonBytes) throw new ArchiveError(`${path} in the archive is too large`);
  return parse(await readAt(archive.file, offset, size), path);
}

function parse<T>(content: Buffer, what: string): T {
  try {
    const value: unknown = JSON.parse(content.toString());
    if (typeof value !== 'object' || value === null) throw new Error('not an object');
    return value as T;
  } catch (error) {
    throw new ArchiveError(`${what} in the archive is not valid JSON`, { cause: error });
  }
}
