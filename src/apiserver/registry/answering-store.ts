// The store as requests see it: where it cannot serve, they get the answer that clients understand and wait on.
import { serviceUnavailable, timeout } from '#api/meta/errors.ts';
import type { Store } from '#store/store.ts';
import { StoreUnavailableError, UnknownOutcomeError } from '#store/store.ts';

export function answeringStore(store: Store): Store {
  return {
    currentRevision: () => store.currentRevision().catch(refuse),
    get: (key, revision) => store.get(key, revision).catch(refuse),
    list: (prefix, options) => store.list(prefix, options).catch(refuse),
    commit: (transaction) => store.commit(transaction).catch(refuse),
    watch: store.watch.bind(store),
    compact: (revision) => store.compact(revision),
    snapshot: (file) => store.snapshot(file),
    close: () => store.close(),
  };
}

function refuse(error: Error): never {
  if (error instanceof StoreUnavailableError) throw serviceUnavailable(error.message, { cause: error });
  // Clients try a 503 again by themselves, but must look first whether this was done.
  if (error instanceof UnknownOutcomeError) throw timeout(error.message, { cause: error });
  throw error;
}
