// Runs in a process of its own: how long keks/testing takes to load, to make its first cluster, and to make further ones.
import { keepAliveDuring } from '#lib/keep-alive.ts';

const start = performance.now();
const { createCluster } = await import('#testing/create-cluster.ts');
const importMs = performance.now() - start;

async function timed(): Promise<number> {
  const before = performance.now();
  const cluster = await createCluster();
  const duration = performance.now() - before;
  await cluster.stop();
  return duration;
}

await keepAliveDuring(
  (async () => {
    const coldMs = await timed();
    const warm: number[] = [];
    for (let time = 0; time < 10; time++) warm.push(await timed());
    warm.sort((one, other) => one - other);
    process.stdout.write(JSON.stringify({ importMs, coldMs, warmMs: warm[5] }));
  })(),
);
