// Container images for tests, made from Debian's packages without Docker: an OCI archive of a few megabytes, kept under
// node_modules/.cache. Needs apt-get and dpkg, no root.
import { mkdir, mkdtemp, readFile, readdir, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TarFile } from '#lib/tar.ts';
import { run } from '#lib/command.ts';
import { ociArchitecture, writeImageArchive } from '#network/registry/image-archive.ts';

const cache = fileURLToPath(new URL('../../node_modules/.cache/keks-images/', import.meta.url));
/** Raise it when the image's content changes. */
const edition = 1;

const nginxConf = `worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types;
  access_log /dev/stdout;
  server { listen 80; root /usr/share/nginx/html; index index.html; }
}
`;

/** An nginx that serves its welcome page on port 80 and logs to its output, with busybox for a shell. Answers the archive's path. */
export async function nginxImage(name = 'docker.io/library/nginx:latest'): Promise<string> {
  const packages = ['nginx', 'nginx-common', 'libc6', 'zlib1g', 'libpcre2-8-0', 'libssl3', 'libcrypt1'];
  return image(name, {
    layers: [await busyboxLayer(), await nginxLayer(packages)],
    command: ['nginx', '-g', 'daemon off;'],
    exposedPorts: ['80/tcp'],
    stopSignal: 'SIGQUIT',
  });
}

/** A shell and the usual tools, statically linked. */
export async function busyboxImage(name = 'docker.io/library/busybox:latest'): Promise<string> {
  return image(name, { layers: [await busyboxLayer()], command: ['sh'] });
}

async function image(name: string, recipe: { layers: TarFile[][]; command: string[]; exposedPorts?: string[]; stopSignal?: string }) {
  const file = join(cache, `${edition}-${name.replaceAll(/[^a-z0-9.]/g, '_')}.tar`);
  if (await exists(file)) return file;
  await mkdir(cache, { recursive: true });
  const bytes = writeImageArchive({ name, architecture: ociArchitecture(), gzip: true, ...recipe });
  // Several test files may make it at once: each writes its own and the last one in wins.
  await writeFile(`${file}.${process.pid}`, bytes);
  await rename(`${file}.${process.pid}`, file);
  return file;
}

async function busyboxLayer(): Promise<TarFile[]> {
  const files = await unpack(['busybox-static'], (path) => path === 'bin/busybox' || path === 'usr/bin/busybox');
  const busybox = { path: 'bin/busybox', data: files.find((file) => file.path.endsWith('bin/busybox'))!.data!, mode: 0o755 };
  const directories = ['tmp', 'run', 'root', 'etc', 'proc', 'sys', 'dev', 'var', 'var/log'];
  return [
    { path: 'bin', directory: true },
    busybox,
    ...[
      'sh',
      'cat',
      'ls',
      'echo',
      'sleep',
      'wget',
      'nslookup',
      'ps',
      'env',
      'tar',
      'head',
      'id',
      'touch',
      'mkdir',
      'rm',
      'hostname',
      'nc',
      'true',
      'false',
      'test',
      'grep',
      'date',
      'stty',
      'httpd',
      'ip',
      'wc',
      'dd',
    ].map((tool) => ({ path: `bin/${tool}`, linkTarget: 'busybox' })),
    ...directories.map((path) => ({ path, directory: true, mode: path === 'tmp' ? 0o1777 : 0o755 })),
    {
      path: 'etc/passwd',
      data: 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    },
    { path: 'etc/group', data: 'root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n' },
  ];
}

async function nginxLayer(packages: string[]): Promise<TarFile[]> {
  const wanted =
    /^(usr\/sbin\/nginx|etc\/nginx\/mime\.types|usr\/share\/nginx\/html\/index\.html|lib64\/|(usr\/)?lib\/[^/]+-linux-gnu[^/]*\/[^/]+\.so[^/]*$)/;
  const files = await unpack(packages, (path) => wanted.test(path));
  return [
    ...files,
    { path: 'etc/nginx/nginx.conf', data: nginxConf },
    ...['var/log/nginx', 'var/lib/nginx', 'run'].map((path) => ({ path, directory: true })),
  ];
}

/** Downloads packages and answers the files of theirs that are wanted. */
async function unpack(packages: string[], wanted: (path: string) => boolean): Promise<TarFile[]> {
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, 'unpack-'));
  try {
    // As root apt would hand the download to a user that cannot write here, and warn.
    await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', '-q', ...packages], { cwd: scratch });
    const tree = join(scratch, 'root');
    for (const name of await readdir(scratch)) if (name.endsWith('.deb')) await run('dpkg', ['-x', join(scratch, name), tree]);
    return await filesBelow(tree, '', wanted);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function filesBelow(root: string, path: string, wanted: (path: string) => boolean): Promise<TarFile[]> {
  const found: TarFile[] = [];
  const entries = (await readdir(join(root, path), { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`;
    const full = join(root, inner);
    if (entry.isDirectory()) found.push(...(await filesBelow(root, inner, wanted)));
    else if (!wanted(inner)) continue;
    else if (entry.isSymbolicLink()) found.push({ path: inner, linkTarget: await readlink(full) });
    else found.push({ path: inner, data: await readFile(full), mode: (await stat(full)).mode & 0o777 });
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
