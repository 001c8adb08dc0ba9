// Images of a simulated node: every name can be pulled, except those that say that they cannot.
// A registry host that ends in `.invalid` is not found, nor is the tag `does-not-exist`.
import { createHash } from 'node:crypto';
import { PullError } from '../runtime.ts';

export interface SimulatedImage {
  imageId: string;
  bytes: number;
}

/** Throws PullError as containerd words it. */
export function pulledImage(image: string): SimulatedImage {
  const full = fullName(image);
  const [host] = full.split('/');
  const fail = (detail: string): never => {
    const text = `failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${detail}`;
    throw new PullError('ErrImagePull', text);
  };
  if (host!.replace(/:[0-9]+$/, '').endsWith('.invalid')) {
    const { path, tag } = splitTag(full.slice(host!.length + 1));
    fail(`failed to do request: Head "https://${host}/v2/${path}/manifests/${tag}": dial tcp: lookup ${host}: no such host`);
  }
  if (splitTag(full).tag === 'does-not-exist') fail(`${full}: not found`);
  const digest = createHash('sha256').update(full).digest();
  const name = splitTag(full.split('@')[0]!).path;
  // Between 5 and 133 MB, always the same for a name.
  const bytes = 5_000_000 + (digest.readUInt32BE(0) % 128_000_000);
  return { imageId: full.includes('@') ? full : `${name}@sha256:${digest.toString('hex')}`, bytes };
}

/** `nginx` is `docker.io/library/nginx`. */
function fullName(image: string): string {
  const first = image.split('/')[0]!;
  const hasHost = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  if (hasHost) return image;
  return image.includes('/') ? `docker.io/${image}` : `docker.io/library/${image}`;
}

function splitTag(name: string): { path: string; tag: string } {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? { path: name.slice(0, colon), tag: name.slice(colon + 1) } : { path: name, tag: 'latest' };
}
