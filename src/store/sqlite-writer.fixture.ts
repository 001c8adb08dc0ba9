// Run by sqlite.test.ts as a process of its own: writes without end and prints what was acknowledged.
import { writeSync } from 'node:fs';
import { openSqliteStore } from './sqlite.ts';
import { startSqliteThread } from './sqlite-thread.ts';

const store = await openSqliteStore(process.argv[2]!, startSqliteThread());

async function writeForever(writer: number): Promise<void> {
  for (let i = 0; ; i++) {
    const key = `/${writer}/${i}`;
    const result = await store.commit({ compare: [{ key, revision: 0 }], writes: [{ key, value: Buffer.from(`v${i}`) }] });
    if (result.committed) writeSync(1, `${key} v${i} ${result.revision}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => writeForever(writer)));
