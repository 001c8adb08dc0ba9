// A whole API server on the memory store, for the tests of its parts: everyone may do everything unless a test says otherwise.
import type { UserInfo } from '#api/meta/access.ts';
import type { Client } from '#client/client.ts';
import { BodyTooLargeError, type StreamSink } from '#lib/http/exchange.ts';
import { silentLog } from '#lib/log.ts';
import { seededRandom } from '#lib/random.ts';
import type { VirtualClock } from '#lib/virtual-clock.ts';
import { virtualClock } from '#lib/virtual-clock.ts';
import { createMemoryStore } from '#store/memory.ts';
import type { Store } from '#store/store.ts';
import { clusterNamespaces } from './cluster-objects.ts';
import { resourceRules } from './resources/all.ts';
import type { ApiServer, ApiServerOptions } from './server.ts';
import { createApiServer } from './server.ts';

export const admin: UserInfo = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

export interface TestServer {
  server: ApiServer;
  client: Client;
  clock: VirtualClock;
  store: Store;
}

export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const clock = virtualClock();
  const store = options.store ?? createMemoryStore();
  const server = createApiServer({
    store,
    clock,
    random: seededRandom(1),
    log: silentLog,
    rules: resourceRules,
    bootstrap: clusterNamespaces(),
    security: () => ({ authenticate: async () => admin, authorize: () => ({ decision: 'allow', reason: '' }) }),
    ...options,
  });
  await server.start();
  return { server, client: server.loopback(admin), clock, store };
}

/** Whatever of this came back. */
export interface ReplyBody {
  kind: string;
  message: string;
  metadata: { name: string; uid: string };
  data: object;
  items: ReplyBody[];
}

export interface Reply {
  status: number;
  headers: Readonly<Record<string, string>>;
  bytes: Buffer;
  text: string;
  json: ReplyBody;
}

export interface Call {
  method?: string;
  /** Bytes and text go as they are, all else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One request through the pipeline, without a socket. Streams are read until the server ends them. */
export async function call(server: ApiServer, url: string, { method = 'GET', body, headers = {}, signal }: Call = {}): Promise<Reply> {
  const [path = '', query = ''] = url.split('?');
  const sent = Buffer.isBuffer(body) ? body : Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  const response = await server.handle({
    method,
    path,
    query,
    headers,
    remoteAddress: '127.0.0.1',
    signal: signal ?? new AbortController().signal,
    async body(limitBytes) {
      if (sent.length > limitBytes) throw new BodyTooLargeError();
      return sent;
    },
  });
  if (!('status' in response)) throw new Error('the request was upgraded');
  const bytes = await readAll(response.body);
  const text = bytes.toString();
  const isJson = response.headers['content-type'] === 'application/json' && !response.headers['content-encoding'];
  return { ...response, bytes, text, json: (isJson && !text.includes('}\n{') && text !== '' ? JSON.parse(text) : {}) as ReplyBody };
}

async function readAll(body: Buffer | readonly Buffer[] | ((sink: StreamSink) => Promise<void>)): Promise<Buffer> {
  const chunks: Buffer[] = [];
  if (typeof body === 'function') {
    await body({ write: (more) => chunks.push(...more) > 0, drained: async () => {}, pendingBytes: 0, end() {} });
  } else chunks.push(...(Buffer.isBuffer(body) ? [body] : body));
  return Buffer.concat(chunks);
}
