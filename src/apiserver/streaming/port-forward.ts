// pods/portforward: pairs of streams, one for bytes and one for errors, each leading to a port of the pod. SPDY/3.1, bare or inside a WebSocket.
import type { Duplex } from 'node:stream';
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeletConnection } from '#client/kubelet-connection.ts';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { createSpdyConnection, type SpdyStream } from '#lib/spdy/connection.ts';
import type { RequestContext } from '../request.ts';
import { findPod, kubeletOf, type PodSource } from './pod-target.ts';
import { acceptSpdy, acceptWebSocket, upgradeKind } from './upgrade.ts';

const tunnel = 'SPDY/3.1+portforward.k8s.io';

export async function servePortForward(source: PodSource, request: HttpRequest, context: RequestContext): Promise<HttpResponse> {
  const { namespace, name } = context.info;
  const kind = upgradeKind(request);
  const pod = await findPod(source, namespace, name);
  const kubelet = kubeletOf(source, pod);
  if (kind === 'spdy') forward(acceptSpdy(request, ['portforward.k8s.io']), kubelet, pod);
  else {
    const { createWebSocketStream } = await import('ws');
    await acceptWebSocket(request, [tunnel], ({ socket }) => {
      socket.on('error', () => socket.terminate());
      forward(createWebSocketStream(socket), kubelet, pod);
    });
  }
  return { upgraded: true };
}

interface Pair {
  data?: Duplex;
  error?: Duplex;
}

function forward(connection: Duplex, kubelet: KubeletConnection, pod: Pod): void {
  const pairs = new Map<string, Pair>();
  const onStream = ({ headers, channel }: SpdyStream) => {
    const { streamtype, port, requestid = '0' } = headers;
    const number = Number(port);
    if ((streamtype !== 'data' && streamtype !== 'error') || !Number.isInteger(number) || number < 1 || number > 65535)
      return void channel.destroy();
    const pair = pairs.get(requestid) ?? {};
    if (pair[streamtype]) return void channel.destroy();
    pair[streamtype] = channel;
    pairs.set(requestid, pair);
    // Half a pair lasts no longer than its stream.
    channel.once('close', () => pairs.get(requestid) === pair && pairs.delete(requestid));
    if (!pair.data || !pair.error) return;
    pairs.delete(requestid);
    void carry(kubelet, pod, number, { data: pair.data, error: pair.error });
  };
  createSpdyConnection(connection, { role: 'server', onStream });
}

async function carry(kubelet: KubeletConnection, pod: Pod, port: number, pair: Required<Pair>): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  pair.error.resume();
  try {
    await kubelet.portForward({ namespace, pod: name }, port, { readable: pair.data, writable: pair.data });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    pair.error.write(`error forwarding port ${port} to pod ${name}, uid ${uid}: ${reason}`);
  } finally {
    pair.error.end();
    pair.data.end();
  }
}
