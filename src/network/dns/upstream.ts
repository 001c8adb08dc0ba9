// The host's resolvers: each is asked in turn until one answers.
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { Clock } from '#lib/clock.ts';

const answerTimeoutMs = 2000;
/** Questions waiting for an answer from outside; more are failed at once. */
const maxWaiting = 500;

/** The nameservers of a resolv.conf. */
export async function readResolvers(file = '/etc/resolv.conf'): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => /^\s*nameserver\s+([0-9a-fA-F.:]+)/.exec(line)?.[1] ?? []);
}

/** Undefined when the host has no resolvers. */
export function createForwarder(resolvers: string[], clock: Clock, port = 53): ((query: Buffer) => Promise<Buffer>) | undefined {
  if (resolvers.length === 0) return undefined;
  let waiting = 0;
  return async (query) => {
    if (waiting >= maxWaiting) throw new Error('too many questions wait for the resolvers outside');
    waiting++;
    try {
      let failure: unknown;
      for (const resolver of resolvers) {
        try {
          return await ask(resolver, port, query, clock);
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    } finally {
      waiting--;
    }
  };
}

function ask(resolver: string, port: number, query: Buffer, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A socket, and so a port, of its own for each question: answers are hard to forge.
    const socket = createSocket(isIPv6(resolver) ? 'udp6' : 'udp4');
    const finish = (settle: () => void) => {
      timer.cancel();
      socket.close();
      settle();
    };
    const timer = clock.after(answerTimeoutMs, () => finish(() => reject(new Error(`${resolver} does not answer`))));
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('message', (answer) => {
      if (answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0)) finish(() => resolve(answer));
    });
    // Connected: the kernel drops answers of anybody else, and tells us when nobody listens.
    socket.connect(port, resolver, () => socket.send(query));
  });
}
