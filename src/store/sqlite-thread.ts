// Calls into the SQLite worker thread: one thread serves all the stores of a process.
import { Worker } from 'node:worker_threads';
import type { Message, Operations, Reply } from './sqlite-worker.ts';
import { CompactedError, FutureRevisionError, StoreUnavailableError } from './store.ts';

export interface SqliteThread {
  call<Name extends keyof Operations>(
    database: number,
    operation: Name,
    ask: Operations[Name]['ask'],
    transfer?: ArrayBuffer[],
  ): Promise<Operations[Name]['answer']>;
  /** Ends the thread. Close the stores first. */
  close(): Promise<void>;
}

export function startSqliteThread(): SqliteThread {
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { name: 'sqlite' });
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let ended: Error | undefined;

  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  // The thread alone never keeps the process alive; a call under way does.
  worker.unref();
  worker.on('error', end);
  worker.on('exit', () => end(new StoreUnavailableError('the SQLite thread has ended')));
  worker.on('message', (reply: Reply) => {
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) worker.unref();
    if ('error' in reply) caller?.reject(revive(reply.error));
    else caller?.resolve(reply.answer as never);
  });

  return {
    call(database, operation, ask, transfer = []) {
      return new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const message: Message = { id: ++lastId, database, operation, ask };
        waiting.set(message.id, { resolve, reject });
        worker.ref();
        worker.postMessage(message, transfer);
      });
    },
    async close() {
      await worker.terminate();
    },
  };
}

function revive({ name, message, compactedRevision }: { name: string; message: string; compactedRevision?: number }): Error {
  switch (name) {
    case 'CompactedError':
      return new CompactedError(compactedRevision!);
    case 'FutureRevisionError':
      return new FutureRevisionError(message);
    case 'StoreUnavailableError':
      return new StoreUnavailableError(message);
    default:
      return new Error(message);
  }
}
