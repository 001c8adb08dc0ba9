// exec and attach over WebSocket: a channel number in front of every message; v5 can also say that stdin has ended.
import { PassThrough, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Status } from '#api/meta/errors.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
import type { CommandChannels, CommandOptions, RunCommand } from './remote-command.ts';
import { createResizes } from './resizes.ts';
import { acceptWebSocket } from './upgrade.ts';

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v5.base64.channel.k8s.io', 'v4.base64.channel.k8s.io'];
const maxPendingBytes = 1024 * 1024;

export async function webSocketCommand(request: HttpRequest, options: CommandOptions, run: RunCommand): Promise<void> {
  await acceptWebSocket(request, protocols, ({ socket, protocol }) => {
    const base64 = protocol.includes('base64');
    const gone = new AbortController();
    const stdin = new PassThrough();
    const resizes = createResizes();
    socket.on('message', (data: Buffer) => {
      const number = base64 ? data[0]! - 48 : data[0]!;
      const content = base64 ? Buffer.from(data.subarray(1).toString(), 'base64') : data.subarray(1);
      if (number === channel.stdin) {
        // A process that does not read must not fill the memory: let TCP tell the client.
        if (!stdin.write(content)) {
          socket.pause();
          stdin.once('drain', () => socket.resume());
        }
      } else if (number === channel.resize) resizes.push(content);
      else if (number === channel.close && content[0] === channel.stdin) stdin.end();
    });
    socket.on('close', () => {
      gone.abort(new Error('the client went away'));
      stdin.end();
      resizes.end();
    });
    socket.on('error', () => socket.terminate());
    const channels: CommandChannels = {
      ...(options.stdin && { stdin }),
      ...(options.stdout && { stdout: writer(socket, channel.stdout, base64) }),
      ...(options.stderr && { stderr: writer(socket, channel.stderr, base64) }),
      ...(options.tty && { resizes }),
      signal: gone.signal,
      finish: (status) => finish(socket, status, base64),
    };
    // The lowest channel that the server writes says that the connection stands.
    const first = options.stdout ? channel.stdout : options.stderr ? channel.stderr : channel.error;
    socket.send(framed(first, Buffer.alloc(0), base64));
    void run(channels).then(channels.finish, () => socket.terminate());
  });
}

function framed(number: number, content: Buffer, base64: boolean): Buffer | string {
  return base64 ? `${number}${content.toString('base64')}` : Buffer.concat([Buffer.from([number]), content]);
}

function writer(socket: WebSocket, number: number, base64: boolean): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (socket.readyState !== socket.OPEN) return done();
      const slow = socket.bufferedAmount > maxPendingBytes;
      socket.send(framed(number, chunk, base64), () => {
        if (slow) done();
      });
      if (!slow) done();
    },
  });
}

async function finish(socket: WebSocket, status: Partial<Status>, base64: boolean): Promise<void> {
  if (socket.readyState !== socket.OPEN) return;
  await new Promise<void>((resolve) => socket.send(framed(channel.error, Buffer.from(JSON.stringify(status)), base64), () => resolve()));
  socket.close(1000);
}
