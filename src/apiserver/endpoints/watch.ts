// Watch: what happens to a selection from a revision on, with the objects that are there first if asked, and bookmarks on the way.
import type { Clock, Timer } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import { ApiError } from '#api/meta/errors.ts';
import type { Entry } from '../cache/entry.ts';
import type { CacheSelection } from '../cache/selection.ts';
import type { SelectedEvent } from '../cache/watchers.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { ReadOptions } from './list-options.ts';
import { checkWatchOptions, parseResourceVersion } from './list-options.ts';

export interface WatchSink {
  /** Objects that are there already, as ADDED. */
  initial(entries: readonly Entry[]): void;
  events(events: readonly SelectedEvent[]): void;
  /** Nothing at or below `revision` will follow. `initialEnd`: all that was there has been told. */
  bookmark(revision: number, initialEnd: boolean): void;
  /** Undefined: the time is up. */
  ended(error: Error | undefined): void;
}

export interface RunningWatch {
  close(): void;
}

const bookmarkPeriodMs = 60_000;
const minTimeoutSeconds = 1_800;
const lastBookmarkMs = 2_000;

/** Everything that a caller did wrong is thrown; what becomes of the watch later is told to the sink. */
export async function watchObjects(
  core: Core,
  resource: ServedResource,
  selection: CacheSelection,
  options: ReadOptions,
  sink: WatchSink,
): Promise<RunningWatch> {
  checkWatchOptions(options);
  const asked = parseResourceVersion(options.resourceVersion);
  // Without a version the latest state comes first; with '0' whatever is cached.
  const sendsInitial = options.sendInitialEvents ?? asked === 0;
  if (options.resourceVersion === '') await core.world.waitForLatest();
  else if (sendsInitial && asked > core.world.revision) await core.world.waitFor(asked);
  const cache = core.world.cache(resource.prefix);
  const after = sendsInitial || asked === 0 ? core.world.revision : asked;
  const watch = startWatch(core, options, sink);
  try {
    if (sendsInitial) {
      sink.initial(cache.list(selection));
      if (options.sendInitialEvents && options.allowWatchBookmarks) sink.bookmark(core.world.revision, true);
    }
    watch.attach(cache.watch(selection, after, { events: (events) => sink.events(events), ended: watch.end }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    watch.end(error);
  }
  return watch;
}

interface StartedWatch extends RunningWatch {
  attach(handle: { close(): void }): void;
  end(this: void, error: Error | undefined): void;
}

/** The watch's timers and its one end. */
function startWatch(
  core: { clock: Clock; random: Random; world: { revision: number } },
  options: ReadOptions,
  sink: WatchSink,
): StartedWatch {
  const timers: Timer[] = [];
  let handle: { close(): void } | undefined;
  let over = false;
  const close = () => {
    over = true;
    for (const timer of timers) timer.cancel();
    handle?.close();
  };
  const end = (error: Error | undefined) => {
    if (over) return;
    close();
    sink.ended(error);
  };
  const bookmark = () => {
    if (!over) sink.bookmark(core.world.revision, false);
  };
  // Jitter keeps thousands of watches from speaking, or starting over, in the same moment.
  const timeoutMs = (options.timeoutSeconds || minTimeoutSeconds * (1 + core.random.next())) * 1000;
  if (options.allowWatchBookmarks) {
    timers.push(core.clock.every(bookmarkPeriodMs * (1 + core.random.next() / 4), bookmark));
    if (timeoutMs > lastBookmarkMs && timeoutMs < Infinity) timers.push(core.clock.after(timeoutMs - lastBookmarkMs, bookmark));
  }
  if (timeoutMs < Infinity) timers.push(core.clock.after(timeoutMs, () => end(undefined)));
  return {
    close,
    end,
    attach(attached) {
      handle = attached;
      if (over) attached.close();
    },
  };
}
