// All benchmarks, in the order of the table.
import type { Measure } from './measure.ts';
import { anotherCluster } from './measures/another-cluster.ts';
import { createToRunning } from './measures/create-to-running.ts';
import { containerdCreateToRunning } from './measures/create-to-running-containerd.ts';
import { durableWrites } from './measures/durable-writes.ts';
import { durableWritesOverHttps } from './measures/durable-writes-https.ts';
import { etcdLeaderLost } from './measures/etcd-leader-lost.ts';
import { etcdWrites } from './measures/etcd-writes.ts';
import { eventToWatchers } from './measures/event-to-watchers.ts';
import { fork } from './measures/fork.ts';
import { idleCpu } from './measures/idle-cpu.ts';
import { library } from './measures/library.ts';
import { listPods } from './measures/list-pods.ts';
import { memory } from './measures/memory.ts';
import { podCreation } from './measures/pod-creation.ts';
import { scheduling } from './measures/scheduling.ts';
import { up } from './measures/up.ts';

export const measures: readonly Measure[] = [
  up,
  anotherCluster,
  library,
  fork,
  memory,
  idleCpu,
  createToRunning,
  containerdCreateToRunning,
  podCreation,
  durableWrites,
  durableWritesOverHttps,
  etcdWrites,
  etcdLeaderLost,
  listPods,
  eventToWatchers,
  scheduling,
];
