// containerd's task events: which container ended or ran out of memory, as it happens. The stream is opened again when it breaks;
// what may have been missed in between is for the listener to look up (`onReconnect`).
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { CriClient } from './cri-client.ts';

export interface TaskEvent {
  topic: string;
  containerId: string;
}

const retryMs = 500;

/** Answers how to stop. */
export function followTasks(options: {
  client: CriClient;
  clock: Clock;
  log: Log;
  onEvent: (event: TaskEvent) => void;
  onReconnect: () => void;
}): () => void {
  const { client, clock, log, onEvent, onReconnect } = options;
  let stopped = false;
  let cancel = () => {};
  const subscribe = (again: boolean): void => {
    if (stopped) return;
    const stream = client.subscribe(['topic=="/tasks/exit"', 'topic=="/tasks/oom"']);
    let over = false;
    cancel = () => stream.cancel();
    if (again) onReconnect();
    stream.on('data', ({ topic, event }) => {
      const { containerId, execId } = readTaskEvent(event?.value ?? Buffer.alloc(0));
      // A command of an exec that ended is no change of the container.
      if (containerId !== '' && (topic !== '/tasks/exit' || execId === '' || execId === containerId)) onEvent({ topic, containerId });
    });
    const retry = (error?: Error): void => {
      if (over || stopped) return;
      over = true;
      log.debug({ error: error?.message }, 'containerd event stream ended');
      clock.after(retryMs, () => subscribe(true));
    };
    stream.on('error', retry);
    stream.on('end', () => retry());
  };
  subscribe(false);
  return () => {
    stopped = true;
    cancel();
  };
}

/** TaskExit and TaskOOM both begin with the container's id; TaskExit's second field is the process within it. */
export function readTaskEvent(message: Buffer): { containerId: string; execId: string } {
  const texts = new Map<number, string>();
  let position = 0;
  while (position + 2 <= message.length) {
    const tag = message[position]!;
    const length = message[position + 1]!;
    // Both ids are length-delimited, first, and shorter than 128 bytes; whatever follows is not needed.
    if ((tag & 7) !== 2 || length > 127 || position + 2 + length > message.length) break;
    texts.set(tag >> 3, message.toString('utf8', position + 2, position + 2 + length));
    position += 2 + length;
  }
  return { containerId: texts.get(1) ?? '', execId: texts.get(2) ?? '' };
}
