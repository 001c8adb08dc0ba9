// How many requests may be worked on at once: what comes on top is told to come back, so that overload slows nobody who is already served.
import { tooManyRequests } from '#api/meta/errors.ts';
import type { RequestContext } from './request.ts';

export interface InFlight {
  /** Throws 429 if there is no room; answers how to leave. */
  enter(context: RequestContext): () => void;
}

/** Upstream's two limits together: 400 reads and 200 writes. */
const maxInFlight = 600;
const retryAfterSeconds = 1;

const lasting = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

export function createInFlight(limit = maxInFlight): InFlight {
  let running = 0;
  return {
    enter({ info, user }) {
      // Watches and connections last; administrators must get in to mend things.
      const isLong = info.verb === 'watch' || lasting.has(info.subresource);
      if (isLong || user.groups.includes('system:masters')) return () => {};
      if (running >= limit) throw tooManyRequests('Too many requests, please try again later.', retryAfterSeconds);
      running += 1;
      return () => {
        running -= 1;
      };
    },
  };
}
