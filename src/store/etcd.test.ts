// The etcd engine against the suite of all engines; each store of the suite has an etcd of its own, so that it starts at revision 1.
import { test } from 'node:test';
import { systemClock } from '#lib/clock.ts';
import { etcdIsMissing, startEtcd, untilEtcdAnswers } from '#root/test/support/etcd.ts';
import { testStore } from './conformance.ts';
import { openEtcdStore } from './etcd.ts';
import type { Store } from './store.ts';

const missing = await etcdIsMissing();
if (missing) test('the etcd store', { skip: missing }, () => undefined);
else testStore('etcd', openOverNewEtcd);

async function openOverNewEtcd(): Promise<Store> {
  const etcd = await startEtcd();
  await untilEtcdAnswers({ endpoints: etcd.endpoints });
  const store = openEtcdStore({ endpoints: etcd.endpoints, clock: systemClock });
  return {
    ...store,
    async close() {
      await store.close();
      await etcd.stop();
    },
  };
}
