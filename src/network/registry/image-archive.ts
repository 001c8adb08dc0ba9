// Making an OCI image archive out of files: for the sandbox's own image, and for images that tests and tools make.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { TarFile } from '#lib/tar.ts';
import { writeTar } from '#lib/tar.ts';

export interface ImageRecipe {
  /** With host and tag: `docker.io/library/nginx:1`. */
  name: string;
  architecture: string;
  layers: TarFile[][];
  entrypoint?: string[];
  command?: string[];
  env?: string[];
  workingDirectory?: string;
  exposedPorts?: string[];
  stopSignal?: string;
  labels?: Record<string, string>;
  gzip?: boolean;
}

const layout = '{"imageLayoutVersion":"1.0.0"}';

/** The archive's bytes; the same recipe gives the same bytes. */
export function writeImageArchive(recipe: ImageRecipe): Buffer {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, data: Buffer) => {
    const digest = `sha256:${sha256(data)}`;
    blobs.set(digest, data);
    return { mediaType, digest, size: data.length };
  };
  const tars = recipe.layers.map(writeTar);
  const suffix = recipe.gzip ? '+gzip' : '';
  const layers = tars.map((tar) => put(`application/vnd.oci.image.layer.v1.tar${suffix}`, recipe.gzip ? gzipSync(tar) : tar));
  const config = put('application/vnd.oci.image.config.v1+json', Buffer.from(JSON.stringify(configOf(recipe, tars))));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put(mediaType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers })));
  const annotations = {
    'io.containerd.image.name': recipe.name,
    'org.opencontainers.image.ref.name': recipe.name.slice(recipe.name.lastIndexOf(':') + 1),
  };
  const index = {
    schemaVersion: 2,
    manifests: [{ ...manifest, annotations, platform: { os: 'linux', architecture: recipe.architecture } }],
  };
  return writeTar([
    { path: 'oci-layout', data: layout },
    { path: 'index.json', data: JSON.stringify(index) },
    { path: 'blobs', directory: true },
    { path: 'blobs/sha256', directory: true },
    ...[...blobs].map(([digest, data]) => ({ path: `blobs/${digest.replace(':', '/')}`, data })),
  ]);
}

function configOf(recipe: ImageRecipe, tars: Buffer[]): object {
  return {
    architecture: recipe.architecture,
    os: 'linux',
    config: {
      ...(recipe.entrypoint && { Entrypoint: recipe.entrypoint }),
      ...(recipe.command && { Cmd: recipe.command }),
      Env: recipe.env ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(recipe.workingDirectory && { WorkingDir: recipe.workingDirectory }),
      ...(recipe.exposedPorts && { ExposedPorts: Object.fromEntries(recipe.exposedPorts.map((port) => [port, {}])) }),
      ...(recipe.stopSignal && { StopSignal: recipe.stopSignal }),
      ...(recipe.labels && { Labels: recipe.labels }),
    },
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => `sha256:${sha256(tar)}`) },
    history: tars.map(() => ({ created_by: 'keks' })),
  };
}

/** OCI's name of the processor that this process runs on. */
export function ociArchitecture(architecture: string = process.arch): string {
  return architecture === 'x64' ? 'amd64' : architecture;
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
