// etcd alone beside us: durable puts of the same size on the same disk. Not kube-apiserver + etcd, which does all of this and more per write.
import type { Measure, Reading } from '../measure.ts';
import { writesPerSecond } from '../support/concurrent-writers.ts';
import { findEtcd, startEtcd } from '../support/etcd.ts';
import { sampleConfigMap } from '../support/sample-pods.ts';

const note = 'etcd alone, one member, plain HTTP/2: no API server, no TLS, no rules before it';

export const etcdWrites: Measure = {
  name: 'etcd-writes',
  runs: 3,
  async measure({ quick }) {
    if (quick) return { skipped: 'a peer, not ours; left out of --quick' };
    const program = await findEtcd();
    if (program === undefined) return { skipped: 'no etcd here, and Debian’s etcd-server could not be fetched' };
    await using etcd = await startEtcd(program, 4);
    const value = Buffer.from(JSON.stringify(sampleConfigMap('map')));
    const readings: Reading[] = [];
    for (const clients of [1, 16, 64]) {
      const put = (number: number) => etcd.put(number, `/registry/configmaps/default/map-${clients}-${number}`, value);
      const { perSecond } = await writesPerSecond(clients, 3000, put);
      readings.push({ name: `etcd alone, ${clients} clients`, value: perSecond, unit: '/s', note });
    }
    return readings;
  },
};
