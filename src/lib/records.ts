// Named JSON records in a directory: all in memory for reading, each written durably before the write is answered.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, writeDurably } from './durable-file.ts';

export interface Records<T> {
  get(name: string): T | undefined;
  /** In ascending order of their names. */
  names(): string[];
  values(): T[];
  /** Visible at once, durable when it resolves. Writes of one name are done in the order they were asked for. */
  put(name: string, value: T): Promise<void>;
  delete(name: string): Promise<void>;
  /** Finishes the writes under way. What is written later stays in memory, as if the process had ended: for work that goes on meanwhile. */
  close(): Promise<void>;
}

/** Names may hold letters, digits and `._-@+=,/`; a slash makes a folder. */
export async function openRecords<T>(directory: string): Promise<Records<T>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const values = await load<T>(directory);
  const queues = new Map<string, Promise<void>>();
  let closed = false;
  const enqueue = (name: string, work: () => Promise<void>): Promise<void> => {
    if (closed) return Promise.resolve();
    const done = (queues.get(name) ?? Promise.resolve()).catch(() => {}).then(work);
    queues.set(name, done);
    const forget = () => {
      if (queues.get(name) === done) queues.delete(name);
    };
    done.then(forget, forget);
    return done;
  };
  return {
    get: (name) => values.get(name),
    names: () => [...values.keys()].sort(),
    values: () => [...values.keys()].sort().map((name) => values.get(name)!),
    async put(name, value) {
      values.set(name, value);
      const text = `${JSON.stringify(value)}\n`;
      await enqueue(name, () => writeDurably(fileOf(directory, name), text));
    },
    async delete(name) {
      values.delete(name);
      await enqueue(name, async () => {
        await rm(fileOf(directory, name), { force: true });
        await syncDirectory(join(fileOf(directory, name), '..')).catch(() => {});
      });
    },
    async close() {
      closed = true;
      await Promise.allSettled(queues.values());
    },
  };
}

function fileOf(directory: string, name: string): string {
  return join(directory, `${name.split('/').map(encode).join('/')}.json`);
}

/** A leading dot is encoded too: such files are unfinished ones. */
function encode(part: string): string {
  return encodeURIComponent(part).replace(/^\./, '%2E');
}

async function load<T>(directory: string): Promise<Map<string, T>> {
  const values = new Map<string, T>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    // Files that begin with a dot were being written when the process died: the old one stands.
    if (!entry.isFile() || !entry.name.endsWith('.json') || entry.name.startsWith('.')) continue;
    const file = join(entry.parentPath, entry.name);
    const name = file.slice(directory.length + 1, -'.json'.length);
    values.set(name.split('/').map(decodeURIComponent).join('/'), JSON.parse(await readFile(file, 'utf8')) as T);
  }
  return values;
}
