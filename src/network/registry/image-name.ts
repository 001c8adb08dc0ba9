// Image references as Docker and containerd complete them: `nginx` is `docker.io/library/nginx:latest`.

export interface ImageName {
  /** `docker.io`, `quay.io`, `localhost:5000` */
  host: string;
  /** `library/nginx` */
  path: string;
  tag: string;
}

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const hostPattern = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;

/** Throws what is wrong with it. A digest behind the tag is dropped: what is loaded has the digest it has. */
export function parseImageName(text: string): ImageName {
  const withoutDigest = text.split('@')[0]!;
  const slash = withoutDigest.indexOf('/');
  const first = slash < 0 ? '' : withoutDigest.slice(0, slash);
  // The first part is a host only if it looks like one: `library/nginx` has none.
  const named = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const host = !named || first === 'index.docker.io' ? 'docker.io' : first;
  const rest = named ? withoutDigest.slice(slash + 1) : withoutDigest;
  const colon = rest.lastIndexOf(':');
  const tag = colon < 0 ? 'latest' : rest.slice(colon + 1);
  const plain = colon < 0 ? rest : rest.slice(0, colon);
  const path = host === 'docker.io' && !plain.includes('/') ? `library/${plain}` : plain;
  if (!pathPattern.test(path) || !tagPattern.test(tag) || !hostPattern.test(host))
    throw new Error(`invalid image name ${JSON.stringify(text)}`);
  return { host, path, tag };
}

export function formatImageName(name: ImageName): string {
  return `${name.host}/${name.path}:${name.tag}`;
}

/**
 * Where the local registry keeps the image: Docker Hub's images under their own path, as anybody who pushes expects, those of other
 * hosts below the host's name, so that equal paths of two hosts are two images.
 */
export function repositoryOf(name: ImageName): string {
  return name.host === 'docker.io' ? name.path : `${name.host.replace(':', '_').toLowerCase()}/${name.path}`;
}
