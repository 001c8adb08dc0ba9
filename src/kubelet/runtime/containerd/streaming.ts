// The client of containerd's streaming server: exec, attach and port-forward as SPDY/3.1 streams behind an HTTP upgrade.
import { request } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { ExecStreams } from '#client/kubelet-connection.ts';
import type { SpdyConnection } from '#lib/spdy/connection.ts';
import { createSpdyConnection } from '#lib/spdy/connection.ts';

const execProtocol = 'v4.channel.k8s.io';
const portForwardProtocol = 'portforward.k8s.io';

/** Runs the session behind an Exec or Attach URL to its end; answers the exit code. */
export async function streamExec(url: string, options: { tty: boolean }, streams: ExecStreams): Promise<number> {
  const { connection, release } = await connect(url, execProtocol, streams.signal);
  try {
    const open = (type: string): Duplex => connection.open({ streamtype: type }).channel;
    // The order is the server's: it counts streams until it has all that the request announced.
    const errorChannel = open('error');
    const stdin = streams.stdin && open('stdin');
    const stdout = streams.stdout && open('stdout');
    const stderr = streams.stderr && !options.tty ? open('stderr') : undefined;
    const resize = options.tty ? open('resize') : undefined;
    const outputs: Promise<void>[] = [];
    if (streams.stdin && stdin) forward(streams.stdin, stdin);
    if (streams.stdout && stdout) outputs.push(drain(stdout, streams.stdout));
    if (streams.stderr && stderr) outputs.push(drain(stderr, streams.stderr));
    if (resize) void sendSizes(streams.resizes, resize).catch(() => resize.destroy());
    for (const channel of [errorChannel, stdout, stderr]) channel?.end();
    const status = await text(errorChannel);
    await Promise.all(outputs);
    return exitCodeOf(status);
  } catch (error) {
    streams.signal.throwIfAborted();
    throw error;
  } finally {
    release();
  }
}

/** Carries one connection to a port of the pod behind a PortForward URL. */
export async function streamPort(
  url: string,
  port: number,
  stream: { readable: Readable; writable: NodeJS.WritableStream },
): Promise<void> {
  const { connection, release } = await connect(url, portForwardProtocol, new AbortController().signal);
  try {
    const headers = { port: String(port), requestid: '0' };
    const errorChannel = connection.open({ ...headers, streamtype: 'error' }).channel;
    const data = connection.open({ ...headers, streamtype: 'data' }).channel;
    errorChannel.end();
    const failure = text(errorChannel);
    forward(stream.readable, data);
    await pipeline(data, stream.writable);
    const message = await failure;
    if (message !== '') throw new Error(message);
  } finally {
    release();
  }
}

async function connect(url: string, protocol: string, signal: AbortSignal): Promise<{ connection: SpdyConnection; release: () => void }> {
  signal.throwIfAborted();
  const { socket, head } = await upgrade(url, protocol);
  const connection = createSpdyConnection(socket, { role: 'client', head });
  const abort = () => connection.close(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  return {
    connection,
    release() {
      signal.removeEventListener('abort', abort);
      connection.close();
    },
  };
}

function upgrade(url: string, protocol: string): Promise<{ socket: Duplex; head: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol },
      timeout: 10_000,
    });
    asked.on('upgrade', (_, socket, head) => {
      socket.setTimeout(0);
      // Small frames both ways: waiting for acknowledgements would cost 40 ms each.
      socket.setNoDelay(true);
      resolve({ socket, head });
    });
    asked.on('response', (response) => {
      void text(response).then((body) => reject(new Error(`unable to upgrade connection: ${body.trim() || response.statusCode}`)), reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('the runtime does not answer')));
    asked.on('error', reject);
    asked.end();
  });
}

/** The caller's input until either side is over; an input that breaks ends the process' input, no more. */
function forward(source: Readable, channel: Duplex): void {
  source.on('error', () => channel.end());
  channel.on('close', () => source.unpipe(channel));
  source.pipe(channel);
}

/** Output to its end, without ending the caller's stream: the caller has more to say after it. A caller who left is no failure. */
async function drain(channel: Duplex, target: NodeJS.WritableStream): Promise<void> {
  channel.pipe(target, { end: false });
  target.once('error', () => channel.destroy());
  await finished(channel, { writable: false }).catch(() => undefined);
}

async function sendSizes(sizes: ExecStreams['resizes'], channel: Duplex): Promise<void> {
  for await (const { width, height } of sizes ?? []) channel.write(`${JSON.stringify({ Width: width, Height: height })}\n`);
}

/** What v4's error stream says: nothing or a success, the process' exit code, or why it did not run. */
export function exitCodeOf(statusText: string): number {
  if (statusText === '') return 0;
  let status: { status?: string; reason?: string; message?: string; details?: { causes?: { reason?: string; message?: string }[] } };
  try {
    status = JSON.parse(statusText) as typeof status;
  } catch {
    throw new Error(statusText);
  }
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (status.reason === 'NonZeroExitCode' && cause !== undefined) return Number(cause.message);
  throw new Error(status.message ?? statusText);
}
