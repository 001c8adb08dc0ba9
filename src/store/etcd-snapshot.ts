// etcd's own snapshot of one member, as `etcdctl snapshot save` writes it and `etcdctl snapshot restore` reads it.
import { open, rename, rm } from 'node:fs/promises';
import type { EtcdOptions } from './etcd-connection.ts';
import { connectEtcd } from './etcd-connection.ts';

/** The file is whole or not there. */
export async function saveEtcdSnapshot(options: EtcdOptions, file: string): Promise<void> {
  const connection = connectEtcd(options);
  const partial = `${file}.part`;
  try {
    // Finds a member that answers, for the stream has no second try.
    await connection.call('Range', { key: Buffer.from('/'), count_only: true });
    const target = await open(partial, 'w', 0o600);
    try {
      for await (const { blob } of connection.snapshot().stream) await target.write(blob);
      await target.sync();
    } finally {
      await target.close();
    }
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
    connection.close();
  }
}
