// Who may import whom: the house of ARCHITECTURE.md, held by a test. A component reaches another only through client/.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posix } from 'node:path';
import { filesOf, importsOf } from './source.ts';

/** For each room the rooms that it may import. What is not listed (cluster.ts, fleet.ts, main.ts, cli, testing) sees everything. */
const allowed: Record<string, string[]> = {
  lib: [],
  api: ['lib'],
  store: ['lib'],
  client: ['lib', 'api'],
  apiserver: ['lib', 'api', 'client', 'store'],
  controllers: ['lib', 'api', 'client'],
  scheduler: ['lib', 'api', 'client'],
  kubelet: ['lib', 'api', 'client'],
  network: ['lib', 'api', 'client'],
  aws: ['lib', 'api', 'client'],
  eks: ['lib', 'api', 'client', 'aws'],
  console: ['lib', 'api', 'client'],
};

const isForTests = (path: string) => /\.(test|fixture)\.ts$/.test(path);
const roomOf = (path: string) => path.split('/')[1]!;

test('no room imports one that it may not know', () => {
  const wrong: string[] = [];
  for (const file of filesOf(['src'], ['.ts'])) {
    if (isForTests(file.path)) continue;
    const rooms = allowed[roomOf(file.path)];
    if (rooms === undefined) continue;
    for (const { specifier } of importsOf(file)) {
      const target = specifier.startsWith('#')
        ? specifier.slice(1).split('/')[0]!
        : specifier.startsWith('.')
          ? roomOf(posix.join(posix.dirname(file.path), specifier))
          : undefined;
      if (target !== undefined && target !== roomOf(file.path) && !rooms.includes(target)) wrong.push(`${file.path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('imports across rooms are written #room/file.ts, within a room ./file.ts', () => {
  const wrong: string[] = [];
  for (const file of filesOf(['src'], ['.ts'])) {
    if (isForTests(file.path)) continue;
    for (const { specifier } of importsOf(file)) {
      if (!specifier.startsWith('..')) continue;
      const target = posix.join(posix.dirname(file.path), specifier);
      if (!target.startsWith('src/') || roomOf(target) !== roomOf(file.path)) wrong.push(`${file.path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});
