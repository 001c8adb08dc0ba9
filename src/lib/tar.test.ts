// Tar: what we write the system's tar reads, what it writes we read.
import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from './command.ts';
import { readAt, readTarEntries, writeTar } from './tar.ts';

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'keks-tar-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('tar lists what was written: files, directories, links, long paths', () =>
  inDirectory(async (directory) => {
    const long = `${'d'.repeat(90)}/${'f'.repeat(60)}`;
    const archive = writeTar([
      { path: 'bin', directory: true },
      { path: 'bin/tool', data: '#!', mode: 0o755 },
      { path: 'bin/link', linkTarget: 'tool' },
      { path: long, data: 'x' },
    ]);
    await writeFile(join(directory, 'a.tar'), archive);
    const listing = await run('tar', ['-tvf', join(directory, 'a.tar')], { env: { ...process.env, LC_ALL: 'C' } });
    assert.match(listing, /^drwxr-xr-x 0\/0 .* bin\/$/m);
    assert.match(listing, /^-rwxr-xr-x 0\/0 +2 .* bin\/tool$/m);
    assert.match(listing, /bin\/link -> tool$/m);
    assert.ok(listing.includes(long));
    assert.throws(() => writeTar([{ path: 'x'.repeat(300) }]), /path too long/);
  }));

for (const format of ['ustar', 'pax', 'gnu', 'v7']) {
  test(`an archive in ${format} format is read`, () =>
    inDirectory(async (directory) => {
      const name = format === 'v7' ? 'short' : `${'n'.repeat(80)}/${'m'.repeat(90)}`;
      await run('mkdir', ['-p', join(directory, 'in', name, '..')]);
      await writeFile(join(directory, 'in', name), 'content');
      await run('tar', ['-cf', join(directory, 'a.tar'), `--format=${format}`, '-C', join(directory, 'in'), '.']);
      const file = await open(join(directory, 'a.tar'));
      try {
        const entry = (await readTarEntries(file)).find(({ type }) => type === 'file')!;
        assert.equal(entry.path, name);
        assert.equal((await readAt(file, entry.offset, entry.size)).toString(), 'content');
      } finally {
        await file.close();
      }
    }));
}
