// The live half of watching, shared by the embedded engines: hands committed events to every watch whose prefix they match.
import type { StoreEvent, StoreWatch, WatchSink } from './store.ts';

interface Watcher {
  prefix: string;
  sink: WatchSink;
  /** Live events held back until history has been delivered; undefined once live. */
  held: StoreEvent[] | undefined;
}

export interface WatchHub {
  /** Delivers one commit's events, or several commits' in order. */
  deliver(events: StoreEvent[]): void;
  /**
   * Adds a watch. With `history`, what it resolves to is delivered first and live events that it already contains are left out:
   * it must hold every event after the asked revision up to some revision not older than the call.
   */
  add(prefix: string, sink: WatchSink, history?: Promise<{ events: StoreEvent[]; through: number }>): StoreWatch;
  /** Ends every watch. */
  end(error: Error): void;
}

export function createWatchHub(): WatchHub {
  const watchers = new Set<Watcher>();

  const end = (watcher: Watcher, error: Error) => {
    if (watchers.delete(watcher)) watcher.sink.ended(error);
  };

  const replay = async (watcher: Watcher, history: Promise<{ events: StoreEvent[]; through: number }>) => {
    try {
      const { events, through } = await history;
      if (!watchers.has(watcher)) return;
      const behind = watcher.held!.filter((event) => event.revision > through);
      watcher.held = undefined;
      const all = [...events, ...behind];
      if (all.length > 0) watcher.sink.events(all);
    } catch (error) {
      end(watcher, error as Error);
    }
  };

  return {
    deliver(events) {
      for (const watcher of watchers) {
        const matching = watcher.prefix === '' ? events : events.filter((event) => event.key.startsWith(watcher.prefix));
        if (matching.length === 0) continue;
        if (watcher.held === undefined) watcher.sink.events(matching);
        else watcher.held.push(...matching);
      }
    },
    add(prefix, sink, history) {
      const watcher: Watcher = { prefix, sink, held: history && [] };
      watchers.add(watcher);
      if (history) void replay(watcher, history);
      return { close: () => void watchers.delete(watcher) };
    },
    end(error) {
      for (const watcher of [...watchers]) end(watcher, error);
    },
  };
}
