// A log file of bounded size: full, it becomes FILE.1, which becomes FILE.2, and the oldest goes. Writes are gathered and never awaited.
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '#lib/log.ts';
import type { AuditSink } from './audit.ts';

export interface RotatedFile extends AuditSink {
  /** Resolves when everything written so far is in the file. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const maxPendingBytes = 16 * 1024 * 1024;

export async function openRotatedFile(options: { file: string; maxBytes?: number; keep?: number; log: Log }): Promise<RotatedFile> {
  const { file, maxBytes = 64 * 1024 * 1024, keep = 3, log } = options;
  await mkdir(dirname(file), { recursive: true });
  let handle: FileHandle = await open(file, 'a', 0o600);
  let size = (await handle.stat()).size;
  let pending: string[] = [];
  let pendingBytes = 0;
  let lost = 0;
  let work: Promise<void> | undefined;

  const rotate = async () => {
    await handle.close();
    for (let number = keep; number >= 1; number--) {
      const from = number === 1 ? file : `${file}.${number - 1}`;
      await rename(from, `${file}.${number}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    if (keep === 0) await rm(file, { force: true });
    handle = await open(file, 'a', 0o600);
    size = 0;
  };

  const drain = async () => {
    while (pending.length > 0) {
      const bytes = Buffer.from(`${pending.join('\n')}\n`);
      const lines = pending.length;
      pending = [];
      pendingBytes = 0;
      try {
        if (size > 0 && size + bytes.length > maxBytes) await rotate();
        await handle.writeFile(bytes);
        size += bytes.length;
      } catch (error) {
        lost += lines;
        log.error({ error: String(error), file, lost }, 'lines were lost');
      }
    }
    work = undefined;
  };

  return {
    write(line) {
      if (pendingBytes > maxPendingBytes) {
        lost++;
        return;
      }
      pending.push(line);
      pendingBytes += line.length;
      work ??= Promise.resolve().then(drain);
    },
    async flush() {
      await work;
    },
    async close() {
      await work;
      await handle.close();
    },
  };
}
