// Decides what becomes of an event: told as it is, counted with an equal one, combined with similar ones, or dropped as spam.
import type { Event } from '#api/generated/core-v1.ts';
import type { Clock } from '#lib/clock.ts';

export interface Correlated {
  event: Event;
  /** The event stands on the server already: its count is raised. */
  isRepeated: boolean;
  /** To be told what the server stored. */
  stored(event: Event): void;
}

const cacheSize = 4096;
/** Similar events (all but the message equal) beyond this many within the interval are combined. */
const maxSimilar = 10;
const similarIntervalMs = 600_000;
/** What one source may say about one object: a burst, then one in five minutes. */
const spamBurst = 25;
const spamPerMs = 1 / 300_000;

interface Similar {
  messages: Set<string>;
  lastMs: number;
}
interface Seen {
  count: number;
  name: string;
  firstTimestamp: string | undefined;
}
interface Bucket {
  tokens: number;
  lastMs: number;
}

/** Answers what to send; undefined for spam. */
export function createEventCorrelator(clock: Clock): (event: Event) => Correlated | undefined {
  const similar = new Map<string, Similar>();
  const seen = new Map<string, Seen>();
  const buckets = new Map<string, Bucket>();

  return (original) => {
    const nowMs = clock.monotonicMs();
    const { event, key } = combine(original, similar, nowMs);
    if (!spend(buckets, spamKey(original), nowMs)) return undefined;
    const known = seen.get(key);
    const repeated: Event =
      known === undefined
        ? event
        : {
            ...event,
            metadata: { ...event.metadata, name: known.name },
            count: known.count + 1,
            firstTimestamp: known.firstTimestamp,
          };
    return {
      event: repeated,
      isRepeated: known !== undefined,
      stored: (stored) =>
        remember(seen, key, { count: stored.count ?? 1, name: stored.metadata.name!, firstTimestamp: stored.firstTimestamp }),
    };
  };
}

/** The event, or the one that stands for many that differ only in their message; with the key that equal ones share. */
function combine(event: Event, similar: Map<string, Similar>, nowMs: number): { event: Event; key: string } {
  const group = groupKey(event);
  let record = similar.get(group);
  if (record === undefined || nowMs - record.lastMs > similarIntervalMs) record = { messages: new Set(), lastMs: nowMs };
  record.messages.add(event.message ?? '');
  record.lastMs = nowMs;
  if (record.messages.size < maxSimilar) {
    remember(similar, group, record);
    return { event, key: `${group}|${event.message}` };
  }
  // One message is let go so that the set stays bounded.
  record.messages.delete(record.messages.values().next().value!);
  remember(similar, group, record);
  return { event: { ...event, message: `(combined from similar events): ${event.message}` }, key: group };
}

function groupKey(event: Event): string {
  const { involvedObject: about, source } = event;
  return [
    source?.component,
    source?.host,
    about.kind,
    about.namespace,
    about.name,
    about.uid,
    about.apiVersion,
    about.fieldPath,
    event.type,
    event.reason,
    event.reportingComponent,
    event.reportingInstance,
  ].join('|');
}

function spamKey({ source, involvedObject: about }: Event): string {
  return [source?.component, source?.host, about.kind, about.namespace, about.name, about.uid, about.apiVersion].join('|');
}

function spend(buckets: Map<string, Bucket>, key: string, nowMs: number): boolean {
  const bucket = buckets.get(key) ?? { tokens: spamBurst, lastMs: nowMs };
  bucket.tokens = Math.min(spamBurst, bucket.tokens + (nowMs - bucket.lastMs) * spamPerMs);
  bucket.lastMs = nowMs;
  remember(buckets, key, bucket);
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}

/** Sets as the youngest entry and lets the oldest go when there are too many. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > cacheSize) map.delete(map.keys().next().value!);
}
