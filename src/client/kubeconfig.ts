// Kubeconfig files: read, and changed so that everything else in them, comments included, stays as it was.
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Document } from 'yaml';
import { isMap, isSeq, parseDocument, YAMLMap, YAMLSeq } from 'yaml';
import { writeDurably } from '#lib/durable-file.ts';
import type { Credentials } from './http2-pool.ts';

interface KubeconfigCluster {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
}

interface KubeconfigUser {
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  token?: string;
  tokenFile?: string;
  exec?: {
    apiVersion: string;
    command: string;
    args?: string[];
    env?: { name: string; value: string }[] | null;
    interactiveMode?: string;
    provideClusterInfo?: boolean;
    installHint?: string;
  };
}

interface KubeconfigContext {
  cluster: string;
  user: string;
  namespace?: string;
}

export interface Kubeconfig {
  clusters?: { name: string; cluster: KubeconfigCluster }[];
  users?: { name: string; user: KubeconfigUser }[];
  contexts?: { name: string; context: KubeconfigContext }[];
  'current-context'?: string;
}

/** One cluster with its user under one context. All three are replaced where their names exist already. */
export interface KubeconfigEntry {
  context: string;
  clusterName: string;
  cluster: KubeconfigCluster;
  userName: string;
  user: KubeconfigUser;
  namespace?: string;
}

/** A missing file is an empty kubeconfig. Throws with the file's name where it is not valid YAML. */
export function readKubeconfig(file: string): Kubeconfig {
  return (parse(file).toJS() ?? {}) as Kubeconfig;
}

/** Adds or replaces an entry; makes it current unless told not to. */
export async function putKubeconfigEntry(file: string, entry: KubeconfigEntry, options: { makeCurrent?: boolean } = {}): Promise<void> {
  const document = parse(file);
  setNamed(document, 'clusters', entry.clusterName, 'cluster', entry.cluster);
  setNamed(document, 'users', entry.userName, 'user', entry.user);
  const context = { cluster: entry.clusterName, user: entry.userName, ...(entry.namespace && { namespace: entry.namespace }) };
  setNamed(document, 'contexts', entry.context, 'context', context);
  if (options.makeCurrent ?? true) document.set('current-context', entry.context);
  await write(file, document);
}

/** Removes a context, and its cluster and user where no other context uses them. Answers whether it was there. */
export async function removeKubeconfigContext(file: string, context: string): Promise<boolean> {
  const document = parse(file);
  const config = (document.toJS() ?? {}) as Kubeconfig;
  const removed = config.contexts?.find(({ name }) => name === context);
  if (removed === undefined) return false;
  const others = (config.contexts ?? []).filter(({ name }) => name !== context).map((other) => other.context);
  removeNamed(document, 'contexts', context);
  if (!others.some(({ cluster }) => cluster === removed.context.cluster)) removeNamed(document, 'clusters', removed.context.cluster);
  if (!others.some(({ user }) => user === removed.context.user)) removeNamed(document, 'users', removed.context.user);
  if (config['current-context'] === context) document.set('current-context', '');
  await write(file, document);
  return true;
}

/** What a client needs to speak to a context's cluster, the current one by default. Paths are relative to the file. */
export function credentialsOf(file: string, contextName?: string): Credentials {
  const config = readKubeconfig(file);
  const name = contextName ?? config['current-context'];
  if (!name) throw new Error(`${file} has no current context`);
  const context = config.contexts?.find((candidate) => candidate.name === name)?.context;
  if (context === undefined) throw new Error(`context "${name}" does not exist in ${file}`);
  const cluster = config.clusters?.find((candidate) => candidate.name === context.cluster)?.cluster;
  if (cluster?.server === undefined) throw new Error(`cluster "${context.cluster}" of context "${name}" does not exist in ${file}`);
  const user = config.users?.find((candidate) => candidate.name === context.user)?.user ?? {};
  if (user.exec !== undefined) throw new Error(`user "${context.user}" gets its token from a command, which this client does not run`);
  const pem = (data: string | undefined, path: string | undefined): string | undefined => {
    if (data) return Buffer.from(data, 'base64').toString();
    return path ? readFileSync(resolve(dirname(file), path), 'utf8') : undefined;
  };
  const tokenFile = user.tokenFile && resolve(dirname(file), user.tokenFile);
  return {
    server: cluster.server,
    ca: pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: pem(user['client-certificate-data'], user['client-certificate']),
    key: pem(user['client-key-data'], user['client-key']),
    // Read at each request: such files are renewed in place.
    token: user.token ?? (tokenFile ? () => readFileSync(tokenFile, 'utf8').trim() : undefined),
    tlsServerName: cluster['tls-server-name'],
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'],
  };
}

function parse(file: string): Document {
  const document = parseDocument(textOf(file));
  if (document.errors.length > 0)
    throw new Error(`${file} is not a kubeconfig: ${document.errors[0]!.message}`, { cause: document.errors[0] });
  if (document.contents === null) document.contents = document.createNode({ apiVersion: 'v1', kind: 'Config' }) as never;
  if (!isMap(document.contents)) throw new Error(`${file} is not a kubeconfig: it holds no mapping`);
  return document;
}

/** A missing file says nothing. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return '';
  }
}

function setNamed(document: Document, list: string, name: string, field: string, value: object): void {
  const entry = document.createNode({ name, [field]: value });
  const existing = document.get(list);
  // `clusters: []` in flow style, as kubectl writes it, would swallow what is put in.
  if (!isSeq(existing) || existing.items.length === 0) {
    const sequence = new YAMLSeq();
    sequence.items.push(entry);
    document.set(list, sequence);
    return;
  }
  const position = existing.items.findIndex((item) => isNamed(item, name));
  if (position < 0) existing.items.push(entry);
  else existing.items[position] = entry;
}

function removeNamed(document: Document, list: string, name: string): void {
  const existing = document.get(list);
  if (isSeq(existing)) existing.items = existing.items.filter((item) => !isNamed(item, name));
}

function isNamed(item: unknown, name: string): boolean {
  return item instanceof YAMLMap && item.get('name') === name;
}

/** Whole or not at all, and for nobody else to read. A link keeps pointing where it did. */
async function write(file: string, document: Document): Promise<void> {
  const target = targetOf(file);
  const text = document.toString({ lineWidth: 0 });
  if (text !== textOf(target)) await writeDurably(target, text);
}

function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return file;
    throw error;
  }
}
