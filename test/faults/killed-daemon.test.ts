// The daemon is killed in the middle of writes, again and again: nothing that was acknowledged is lost, nothing unacknowledged is half there,
// revisions go on, and a watch that is opened again at its last revision misses and repeats nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ConfigMap } from '#api/generated/core-v1.ts';
import { configmaps } from '#api/generated/resources.ts';
import { ApiError } from '#api/meta/errors.ts';
import type { HttpClient } from '#client/http-transport.ts';
import { createHttpClient } from '#client/http-transport.ts';
import { readKubeconfig } from '#client/kubeconfig.ts';
import { systemClock } from '#lib/clock.ts';
import { root } from '#root/tools/tidy/source.ts';
import { freePort } from '../support/free-port.ts';

const kills = 3;
const writers = 8;
const writesBeforeKill = 150;

interface Acknowledged {
  revision: number;
  /** Undefined: deleted. */
  value: string | undefined;
}

describe('a daemon that is killed', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'keks-faults-'));
  const home = join(folder, 'home');
  const environment: NodeJS.ProcessEnv = { ...process.env, KEKS_HOME: home, KEKS_RUNTIME: 'simulated', KEKS_NODES: '0' };
  const keks = (...args: string[]) => execFileSync(join(root, 'bin/keks'), args, { env: environment, encoding: 'utf8' });

  after(() => {
    keks('down');
    rmSync(folder, { recursive: true, force: true });
  });

  const connect = (): HttpClient => {
    const { clusters = [] } = readKubeconfig(join(home, 'kubeconfig'));
    const { server, 'certificate-authority-data': ca } = clusters[0]!.cluster as { server: string; 'certificate-authority-data': string };
    const { status } = JSON.parse(keks('token', '--cluster-name', 'keks')) as { status: { token: string } };
    return createHttpClient({ server, ca: Buffer.from(ca, 'base64').toString(), token: status.token, clock: systemClock });
  };

  test('loses no acknowledged write', async () => {
    environment['KEKS_PORT'] = String(await freePort());
    keks('up');
    const acknowledged = new Map<string, Acknowledged>();
    const attempted = new Map<string, Set<string>>();
    const seen: { name: string; revision: number; type: string }[] = [];
    let watchFrom = '';

    for (let round = 0; round < kills; round++) {
      const client = connect();
      if (watchFrom === '') watchFrom = (await client.list(configmaps, { namespace: 'default' })).metadata.resourceVersion;
      const watch = client.watch(configmaps, { namespace: 'default', resourceVersion: watchFrom }, (events) => {
        for (const event of events) {
          if (event.type === 'BOOKMARK') continue;
          watchFrom = event.object.metadata.resourceVersion!;
          seen.push({ name: event.object.metadata.name!, revision: Number(watchFrom), type: event.type });
        }
      });
      const killed = new AbortController();
      let count = 0;
      const acknowledge = () => {
        if (++count !== writesBeforeKill) return;
        process.kill(Number(/\d+/.exec(readFileSync(join(home, 'keks.pid'), 'utf8'))![0]), 'SIGKILL');
        killed.abort();
      };
      await Promise.all(
        Array.from({ length: writers }, (_, writer) =>
          writeUntil(client, `w${writer}`, round, killed.signal, { acknowledged, attempted, acknowledge }),
        ),
      );
      await watch.done;
      client.close();
      keks('up');
      await checkState(connect(), acknowledged, attempted);
    }

    const client = connect();
    const final = await client.list(configmaps, { namespace: 'default' });
    const closed = client.watch(configmaps, { namespace: 'default', resourceVersion: watchFrom, timeoutSeconds: 1 }, (events) => {
      for (const event of events) {
        if (event.type !== 'BOOKMARK')
          seen.push({ name: event.object.metadata.name!, revision: Number(event.object.metadata.resourceVersion), type: event.type });
      }
    });
    await closed.done;
    client.close();
    assert(seen.length >= kills * writesBeforeKill);
    assert.deepEqual(
      seen.map(({ revision }) => revision),
      seen.map(({ revision }) => revision).toSorted((a, b) => a - b),
      'in order',
    );
    assert.equal(new Set(seen.map(({ revision }) => revision)).size, seen.length, 'each once');
    const missed = [...acknowledged].filter(
      ([name, { revision }]) => !seen.some((event) => event.name === name && event.revision === revision),
    );
    assert.deepEqual(missed, [], 'the watch, resumed across the kills, has every acknowledged write that was a name’s last');
    assert(Number(final.metadata.resourceVersion) >= Math.max(...seen.map(({ revision }) => revision)));
  });
});

interface Record {
  acknowledged: Map<string, Acknowledged>;
  /** Values that were sent, whether or not an answer came. */
  attempted: Map<string, Set<string>>;
  acknowledge(): void;
}

/** Creates, updates and deletes its own objects, one request at a time, until the server is gone. */
async function writeUntil(client: HttpClient, writer: string, round: number, gone: AbortSignal, record: Record): Promise<void> {
  for (let i = 0; !gone.aborted; i++) {
    const name = `${writer}-${round}-${Math.floor(i / 3)}`;
    const value = `${round}.${i}`;
    const known = record.acknowledged.get(name);
    try {
      if (i % 3 === 2) {
        // A sixth of all names is deleted again.
        if (Math.floor(i / 3) % 2 === 0) continue;
        await client.delete(configmaps, { namespace: 'default', name });
        record.attempted.get(name)!.add('deleted');
        record.acknowledged.set(name, { revision: known!.revision, value: undefined });
      } else {
        record.attempted.set(name, (record.attempted.get(name) ?? new Set()).add(value));
        const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { value } };
        const written = i % 3 === 0 ? await client.create(configmaps, object) : await client.update(configmaps, object);
        record.acknowledged.set(name, { revision: Number(written.metadata.resourceVersion), value });
      }
      record.acknowledge();
    } catch (error) {
      // The connection broke: the write may or may not have happened. An answer of the server would be a mistake.
      if (error instanceof ApiError && error.code < 500) throw error;
      record.attempted.get(name)?.add('deleted');
      return;
    }
  }
}

async function checkState(client: HttpClient, acknowledged: Map<string, Acknowledged>, attempted: Map<string, Set<string>>): Promise<void> {
  const { items } = await client.list(configmaps, { namespace: 'default' });
  const stored = new Map(items.map((item) => [item.metadata.name!, item]));
  for (const [name, { revision, value }] of acknowledged) {
    const object = stored.get(name);
    if (object === undefined) {
      assert(value === undefined || attempted.get(name)!.has('deleted'), `${name} was acknowledged at ${revision} and is gone`);
      continue;
    }
    assert.notEqual(value, undefined, `${name} was deleted and is there again`);
    assert(Number(object.metadata.resourceVersion) >= revision, `${name} is older than what was acknowledged`);
    const newer = Number(object.metadata.resourceVersion) > revision;
    assert(
      newer ? attempted.get(name)!.has(object.data!['value']!) : object.data!['value'] === value,
      `${name} has ${object.data!['value']}`,
    );
  }
  for (const [name, object] of stored) {
    if (name !== 'kube-root-ca.crt') assert(attempted.get(name)?.has(object.data!['value']!), `${name} has a value that nobody wrote`);
  }
  client.close();
}
