// The hand-written sandbox program: run for real on the processor of this machine.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pauseProgram } from './pause-program.ts';

test('the program waits until SIGTERM and then ends with 0', { skip: process.platform !== 'linux' && 'needs Linux' }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'keks-pause-'));
  try {
    const file = join(directory, 'pause');
    await writeFile(file, pauseProgram(process.arch), { mode: 0o755 });
    const child = spawn(file, [], { stdio: 'ignore' });
    await once(child, 'spawn');
    child.kill('SIGCHLD');
    child.kill('SIGTERM');
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    // A signal that came before the program could block it ends it as well.
    assert.ok(code === 0 || signal === 'SIGTERM', `ended with ${code ?? signal}`);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('both processors get a static executable, others a clear refusal', () => {
  for (const architecture of ['x64', 'arm64']) assert.equal(pauseProgram(architecture).toString('latin1', 1, 4), 'ELF');
  assert.throws(() => pauseProgram('s390x'), /need an x64 or arm64 machine, not s390x/);
});
