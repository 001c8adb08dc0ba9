// The DNS server's sockets: UDP and TCP on one address and port.
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Log } from '#lib/log.ts';

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

type Respond = (query: Buffer, transport: 'udp' | 'tcp') => Promise<Buffer | undefined>;

const maxConnections = 200;
const idleMs = 10_000;

/** `port` 0: any; when the wanted port is taken, any other. */
export async function listenDns(options: { address: string; port: number; respond: Respond; log: Log }): Promise<DnsServer> {
  const { address, respond, log } = options;
  const tcp = createServer((socket) => serveConnection(socket, respond, log));
  tcp.maxConnections = maxConnections;
  const port = await listenTcp(tcp, address, options.port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || options.port === 0) throw error;
    return listenTcp(tcp, address, 0);
  });
  const udp = createSocket('udp4');
  udp.on('message', (query, peer) => {
    respond(query, 'udp').then(
      (answer) => answer && udp.send(answer, peer.port, peer.address),
      (error: Error) => log.error({ error: error.message }, 'DNS question not answered'),
    );
  });
  await bindUdp(udp, address, port);
  udp.on('error', (error) => log.warn({ error: error.message }, 'DNS socket'));
  let closed = false;
  return {
    address,
    port,
    async close() {
      if (closed) return;
      closed = true;
      udp.close();
      await new Promise<void>((resolve) => tcp.close(() => resolve()));
    },
  };
}

function serveConnection(socket: Socket, respond: Respond, log: Log): void {
  let buffered: Buffer = Buffer.alloc(0);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
      const end = 2 + buffered.readUInt16BE(0);
      const query = buffered.subarray(2, end);
      buffered = buffered.subarray(end);
      respond(query, 'tcp').then(
        (answer) => {
          if (answer === undefined) return socket.destroy();
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([length, answer]));
        },
        (error: Error) => {
          log.error({ error: error.message }, 'DNS question not answered');
          socket.destroy();
        },
      );
    }
  });
}

function listenTcp(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function bindUdp(socket: UdpSocket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}
