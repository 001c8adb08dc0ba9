// A whole API server on the memory store, for the tests of its parts: everyone may do everything unless a test says otherwise.
import type { UserInfo } from '#api/meta/access.ts';
import type { Client } from '#client/client.ts';
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
