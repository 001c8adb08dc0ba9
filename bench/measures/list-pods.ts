// LIST of 5,000 pods over HTTPS, whole and unpaged, beside JSON.stringify of the same list in the client.
import { connect } from 'node:http2';
import { pods } from '#api/generated/resources.ts';
import type { Measure } from '../measure.ts';
import { percentile } from '../summary.ts';
import { writesPerSecond } from '../support/concurrent-writers.ts';
import { startDaemon } from '../support/daemon.ts';
import { largePod } from '../support/sample-pods.ts';

export const listPods: Measure = {
  name: 'list-pods',
  runs: 1,
  async measure({ quick }) {
    const count = quick ? 100 : 5000;
    await using daemon = await startDaemon({ nodes: 0 });
    const client = await daemon.client();
    let created = 0;
    const creator = async () => {
      while (created < count) await client.create(pods, largePod(`pod-${created++}`));
    };
    await Promise.all(Array.from({ length: 32 }, creator));
    client.close();
    const access = await daemon.access();
    const session = connect(access.server, { ca: access.ca, settings: { initialWindowSize: 16 << 20 } });
    session.on('connect', () => session.setLocalWindowSize(64 << 20));
    const get = () => fetchBody(session, access.token);
    const times: number[] = [];
    let body = await get();
    for (let time = 0; time < (quick ? 2 : 20); time++) {
      const start = performance.now();
      body = await get();
      times.push(performance.now() - start);
    }
    session.close();
    times.sort((one, other) => one - other);
    const list = JSON.parse(body.toString()) as { items: unknown[] };
    if (list.items.length !== count) throw new Error(`${list.items.length} pods instead of ${count}`);
    const stringify = await writesPerSecond(1, quick ? 50 : 3000, async () => JSON.stringify(list));
    const stringifyMs = 1000 / stringify.perSecond;
    const ms = percentile(times, 50);
    const megabytes = body.length / 1e6;
    return [
      {
        name: `LIST of ${count} pods`,
        value: ms,
        unit: 'ms',
        note: `${megabytes.toFixed(1)} MB over HTTPS, p50, client on the same machine`,
      },
      { name: 'LIST throughput', value: megabytes / (ms / 1000), unit: 'MB/s' },
      { name: 'JSON.stringify of that list', value: stringifyMs, unit: 'ms', note: 'the work alone that is saved, without a wire' },
      { name: 'LIST over HTTPS against JSON.stringify alone', value: stringifyMs / ms, unit: '×' },
    ];
  },
};

function fetchBody(session: ReturnType<typeof connect>, token: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':path': '/api/v1/namespaces/default/pods',
      authorization: `Bearer ${token}`,
      accept: 'application/json',
    });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => resolve(Buffer.concat(chunks)));
  });
}
