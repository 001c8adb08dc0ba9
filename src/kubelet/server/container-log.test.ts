// Logs from CRI files: formats, tails, follow across rotation.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { LogOptions } from '#client/kubelet-connection.ts';
import { systemClock } from '#lib/clock.ts';
import type { KubeletContext } from '../context.ts';
import type { ContainerStatusInfo } from '../runtime/runtime.ts';
import { readContainerLog } from './container-log.ts';
import { parseLogLine, tailStart } from './log-lines.ts';

const line = (second: number, text: string, stream = 'stdout', tag = 'F') =>
  `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z ${stream} ${tag} ${text}\n`;

test('a CRI line has a stamp, a stream, a tag and a text that may hold anything', () => {
  assert.deepEqual(parseLogLine('2026-01-01T00:00:00Z stderr P a  b'), {
    timestamp: '2026-01-01T00:00:00Z',
    stream: 'stderr',
    isFull: false,
    text: 'a  b',
  });
  assert.equal(parseLogLine('2026-01-01T00:00:00Z stdout F ')!.text, '');
  assert.equal(parseLogLine('broken'), undefined);
});

test('a tail begins at the last lines, whether or not the last one is complete', () => {
  assert.equal(tailStart(Buffer.from('a\nb\nc\n'), 2), 2);
  assert.equal(tailStart(Buffer.from('a\nb\nc'), 1), 4);
  assert.equal(tailStart(Buffer.from('a\n'), 5), 0);
  assert.equal(tailStart(Buffer.from('a\n'), 0), 2);
});

describe('a log file', () => {
  let directory: string;
  let logPath: string;
  let state: 'running' | 'exited' = 'exited';
  const instance = (): ContainerStatusInfo => ({
    id: 'c1',
    sandboxId: 's1',
    name: 'main',
    attempt: 0,
    state,
    image: '',
    imageId: '',
    createdAtMs: 0,
    logPath,
    labels: { 'io.kubernetes.pod.uid': 'u' },
    annotations: {},
  });
  const runtime = { pods: () => Promise.resolve([{ containers: [instance()] }]) };
  const context = { runtime, clock: systemClock } as unknown as KubeletContext;
  const read = async (options: LogOptions): Promise<string> => {
    let text = '';
    for await (const chunk of await readContainerLog(instance(), options, new AbortController().signal, context)) text += String(chunk);
    return text;
  };
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'keks-log-'));
    logPath = path.join(directory, '0.log');
    await writeFile(logPath, line(1, 'one') + line(2, 'two', 'stderr') + line(3, 'thr', 'stdout', 'P') + line(3, 'ee') + line(4, 'four'));
  });
  after(() => rm(directory, { recursive: true }));

  const cases: [string, LogOptions, string][] = [
    ['is read whole, parts joined', {}, 'one\ntwo\nthree\nfour\n'],
    ['is cut to its tail', { tailLines: 1 }, 'four\n'],
    ['is cut to a moment', { sinceMs: Date.UTC(2026, 0, 1, 0, 0, 3) }, 'three\nfour\n'],
    ['is cut to a number of bytes', { limitBytes: 5 }, 'one\nt'],
    ['is cut to a stream', { stream: 'Stderr' }, 'two\n'],
    ['carries stamps if asked', { timestamps: true, tailLines: 1 }, '2026-01-01T00:00:04.000000000Z four\n'],
  ];
  for (const [name, options, expected] of cases) test(name, async () => assert.equal(await read(options), expected));

  test('is followed over rotation until the container ends', async () => {
    state = 'running';
    const abort = new AbortController();
    const stream = await readContainerLog(instance(), { follow: true, tailLines: 1 }, abort.signal, context);
    let text = '';
    for await (const chunk of stream) {
      text += String(chunk);
      if (text === 'four\n') await appendFile(logPath, line(5, 'five'));
      if (text === 'four\nfive\n') {
        await rename(logPath, `${logPath}.20260101-000000`);
        await writeFile(logPath, line(6, 'six'));
        state = 'exited';
      }
    }
    assert.equal(text, 'four\nfive\nsix\n');
  });
});
