// Three etcd members under a store: how long after kill -9 of the leader, to which the store speaks, the next write is acknowledged.
import { systemClock as clock } from '#lib/clock.ts';
import { etcdIsMissing, etcdLeader, startEtcd, untilEtcdAnswers } from '#root/test/support/etcd.ts';
import { openEtcdStore } from '#store/etcd.ts';
import { UnknownOutcomeError } from '#store/store.ts';
import type { Measure } from '../measure.ts';
import { percentile } from '../summary.ts';

export const etcdLeaderLost: Measure = {
  name: 'etcd-leader-lost',
  runs: 1,
  async measure({ quick }) {
    const missing = await etcdIsMissing();
    if (missing) return { skipped: missing };
    const kills = quick ? 1 : 11;
    await using etcd = await startEtcd({ members: 3 });
    await untilEtcdAnswers({ endpoints: etcd.endpoints });
    const timesMs: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const leader = await etcdLeader(etcd);
      const store = openEtcdStore({ endpoints: [...etcd.endpoints.slice(leader), ...etcd.endpoints.slice(0, leader)], clock });
      const write = () => store.commit({ compare: [], writes: [{ key: '/a', value: Buffer.from(`${kill}`) }] });
      await write();
      await etcd.members[leader]!.kill();
      const killedMs = clock.monotonicMs();
      await write().catch((error: unknown) => {
        if (!(error instanceof UnknownOutcomeError)) throw error;
        return write();
      });
      timesMs.push(clock.monotonicMs() - killedMs);
      await etcd.members[leader]!.start();
      await untilEtcdAnswers({ endpoints: [etcd.members[leader]!.endpoint] });
      await store.close();
    }
    timesMs.sort((one, other) => one - other);
    const note = `kill -9 of the leader, ${kills} times; members elect after 0.5 to 1 s without one`;
    return [
      { name: 'next write after the leader is gone, median', value: percentile(timesMs, 50), unit: 'ms', note },
      { name: 'next write after the leader is gone, longest', value: timesMs.at(-1)!, unit: 'ms', note },
    ];
  },
};
