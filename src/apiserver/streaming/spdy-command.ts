// exec and attach over SPDY/3.1: the client opens one stream each for errors, stdin, stdout, stderr and sizes.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Status } from '#api/meta/errors.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { createSpdyConnection, type SpdyConnection } from '#lib/spdy/connection.ts';
import type { CommandChannels, CommandOptions, RunCommand } from './remote-command.ts';
import { createResizes } from './resizes.ts';
import { acceptSpdy } from './upgrade.ts';

export function spdyCommand(request: HttpRequest, options: CommandOptions, run: RunCommand): void {
  const connection = acceptSpdy(request, ['v4.channel.k8s.io']);
  const wanted = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => options[name]), ...(options.tty ? ['resize'] : [])];
  const streams = new Map<string, Duplex>();
  const session = createSpdyConnection(connection, {
    role: 'server',
    onStream({ headers: { streamtype: name = '' }, channel }) {
      if (!wanted.includes(name) || streams.has(name)) return void channel.destroy();
      streams.set(name, channel);
      if (streams.size === wanted.length) start(session, streams, run);
    },
  });
}

function start(session: SpdyConnection, streams: ReadonlyMap<string, Duplex>, run: RunCommand): void {
  const gone = new AbortController();
  const resizes = createResizes();
  const [error, stdin, stdout, stderr, sizes] = ['error', 'stdin', 'stdout', 'stderr', 'resize'].map((name) => streams.get(name));
  sizes?.on('data', (chunk: Buffer) => resizes.push(chunk));
  void session.done.then(() => {
    gone.abort(new Error('the client went away'));
    resizes.end();
  });
  const channels: CommandChannels = {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    ...(sizes && { resizes }),
    signal: gone.signal,
    async finish(status: Partial<Status>) {
      await Promise.all([stdout, stderr].filter((stream) => stream !== undefined).map(ended));
      error!.write(JSON.stringify(status));
      await ended(error!);
      session.close();
    },
  };
  error!.resume();
  void run(channels).then(channels.finish, () => session.close());
}

async function ended(stream: Duplex): Promise<void> {
  if (stream.destroyed || stream.writableFinished) return;
  const done = Promise.race([once(stream, 'finish'), once(stream, 'close')]);
  stream.end();
  await done;
}
