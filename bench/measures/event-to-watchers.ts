// One change to 1,000 watchers, each on a TLS connection of its own: the time until the last of them has the event.
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { configmaps } from '#api/generated/resources.ts';
import type { Measure } from '../measure.ts';
import { percentile } from '../summary.ts';
import { startDaemon } from '../support/daemon.ts';
import { sampleConfigMap } from '../support/sample-pods.ts';

interface Access {
  server: string;
  ca: string;
  token: string;
}

export const eventToWatchers: Measure = {
  name: 'event-to-watchers',
  runs: 1,
  async measure({ quick }) {
    const count = quick ? 20 : 1000;
    await using daemon = await startDaemon({ nodes: 0 });
    const access = await daemon.access();
    const client = await daemon.client();
    const watchers: Watcher[] = [];
    while (watchers.length < count) {
      watchers.push(...(await Promise.all(Array.from({ length: Math.min(50, count - watchers.length) }, () => openWatcher(access)))));
    }
    const times: number[] = [];
    for (let number = 0; number < (quick ? 2 : 40); number++) {
      const name = `event-${number}`;
      const all = Promise.all(watchers.map((watcher) => watcher.sees(name)));
      const start = performance.now();
      await client.create(configmaps, sampleConfigMap(name));
      await all;
      times.push(performance.now() - start);
    }
    for (const watcher of watchers) watcher.close();
    client.close();
    times.sort((one, other) => one - other);
    const ms = percentile(times, 50);
    const note = `${count} TLS connections, event of 2 KB; the write and the watching process, on this machine, included`;
    return [
      { name: `one event to ${count} watchers`, value: ms, unit: 'ms', note },
      { name: 'deliveries', value: (count / ms) * 1000, unit: '/s', note: 'of single events; batches of many are faster' },
    ];
  },
};

interface Watcher {
  sees(name: string): Promise<void>;
  close(): void;
}

/** As bare a client as there can be, so that a thousand of them fit beside the server: it looks for a name in the bytes. */
function openWatcher({ server, ca, token }: Access): Promise<Watcher> {
  const { hostname, port, host } = new URL(server);
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ['http/1.1'] });
    let wanted: { name: string; found: () => void } | undefined;
    socket.on('error', reject);
    socket.once('secureConnect', () => {
      const path = '/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=0';
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n\r\n`);
    });
    socket.once('data', (head: Buffer) => {
      if (!head.subarray(0, 15).includes('200')) return reject(new Error(head.toString().slice(0, 300)));
      socket.on('data', (chunk: Buffer) => {
        if (wanted === undefined || !chunk.includes(`"name":"${wanted.name}"`)) return;
        wanted.found();
        wanted = undefined;
      });
      resolve({
        sees: (name) => new Promise((found) => (wanted = { name, found })),
        close: () => socket.destroy(),
      });
    });
  });
}
