// The rules of the house that no linter knows: what a file says first, what it may be called, what stays out of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basename } from 'node:path';
import { filesOf, typescript } from './source.ts';

test('the first line of every file says what it is', () => {
  const silent = typescript().filter(({ lines }) => !(lines[0]!.startsWith('#!') ? lines[1]! : lines[0]!).startsWith('// '));
  assert.deepEqual(
    silent.map(({ path }) => path),
    [],
  );
});

test('no file is a drawer', () => {
  const drawers = /^(utils?|common|helpers?|types|index|misc|shared)(\.test)?\.ts$/;
  assert.deepEqual(
    typescript()
      .map(({ path }) => path)
      .filter((path) => drawers.test(basename(path)) || /\/(utils?|common|helpers?)\//.test(path)),
    [],
  );
});

test('time and chance come from a Clock and a Random outside lib/', () => {
  const forbidden = /\b(Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|randomUUID\()/;
  const offenders = filesOf(['src'], ['.ts'])
    .filter(({ path }) => !path.startsWith('src/lib/') && !path.endsWith('.test.ts'))
    .flatMap(({ path, lines }) =>
      lines.flatMap((line, i) => (forbidden.test(line) && !line.trimStart().startsWith('//') ? [`${path}:${i + 1}`] : [])),
    );
  assert.deepEqual(offenders, []);
});

test('no shell is started with a string', () => {
  const forbidden = /\b(exec|execSync)\(|shell: true/;
  const offenders = filesOf(['src'], ['.ts'])
    .filter(({ text }) => text.includes("'node:child_process'"))
    .flatMap(({ path, lines }) =>
      lines.flatMap((line, i) =>
        /(^|[^.\w])(exec|execSync)\(|shell: true/.test(line) && forbidden.test(line) ? [`${path}:${i + 1}`] : [],
      ),
    );
  assert.deepEqual(offenders, []);
});

test('nothing names a package registry or a path of the machine it was written on', () => {
  const words = [
    ['registry', 'npmjs', 'org'].join('.'),
    ['deb', 'debian', 'org'].join('.'),
    ['/work', 'main'].join('/'),
    ['/work', 'shared'].join('/'),
  ];
  const offenders = filesOf(['.'], ['.ts', '.md', '.json', '.sh', '.yaml', '.proto'])
    .filter(({ path }) => path !== 'package-lock.json')
    .filter(({ text }) => words.some((word) => text.includes(word)));
  assert.deepEqual(
    offenders.map(({ path }) => path),
    [],
  );
});

test('every decision is numbered and dated', () => {
  for (const { path, lines } of filesOf(['docs/decisions'], ['.md'])) {
    assert.match(basename(path), /^\d{4}-[a-z0-9-]+\.md$/);
    assert.match(lines.slice(0, 5).join('\n'), /\d{4}-\d{2}-\d{2}/, `${path} says when`);
  }
});
