// Switching protocols: SPDY/3.1 by hand, WebSocket through `ws`, with the subprotocols that Kubernetes' clients offer.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { badRequest, forbidden } from '#api/meta/errors.ts';
import type { HttpRequest } from '#lib/http/exchange.ts';
export function upgradeKind(request: HttpRequest): 'websocket' | 'spdy' {
  const wanted = request.headers.upgrade?.toLowerCase();
  if (request.upgrade && wanted === 'websocket') return 'websocket';
  if (request.upgrade && wanted === 'spdy/3.1') return 'spdy';
  throw badRequest('Upgrade request required');
}

/** Those that the client offers and that `known` has; upstream takes the first of the client's. */
function chooseProtocol(offered: string | undefined, known: readonly string[]): string | undefined {
  return (offered ?? '')
    .split(',')
    .map((name) => name.trim())
    .find((name) => known.includes(name));
}

/** Answers 101 and gives the raw connection. Throws 403 if the client offers no protocol that is known. */
export function acceptSpdy(request: HttpRequest, known: readonly string[]): Duplex {
  const { socket, head } = request.upgrade!;
  const offered = request.headers['x-stream-protocol-version'];
  const chosen = chooseProtocol(offered, known);
  if (chosen === undefined) {
    throw forbidden(
      { group: '', plural: '' },
      '',
      `unable to negotiate protocol: client supports [${offered ?? ''}], server accepts [${known.join(' ')}]`,
    );
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return socket;
}

export interface AcceptedWebSocket {
  socket: WebSocket;
  protocol: string;
}

const maxMessageBytes = 32 * 1024 * 1024;

/** Completes the WebSocket handshake. `then` must set the handlers of messages before anything is awaited, or the first are lost. */
export async function acceptWebSocket(
  request: HttpRequest,
  known: readonly string[],
  then: (accepted: AcceptedWebSocket) => void,
): Promise<void> {
  // Loaded when the first client comes: most clusters of a test suite never see one.
  const { WebSocketServer } = await import('ws');
  const { socket, head, rawRequest } = request.upgrade!;
  const offered = request.headers['sec-websocket-protocol'];
  const protocol = chooseProtocol(offered, known);
  if (offered !== undefined && protocol === undefined) {
    throw badRequest(`unable to upgrade: none of the requested protocols [${offered}] is supported, server accepts [${known.join(' ')}]`);
  }
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  // `ws` refuses names with a slash, such as SPDY/3.1+portforward.k8s.io: the choice is made here, and told here.
  delete rawRequest.headers['sec-websocket-protocol'];
  if (protocol !== undefined) server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  server.handleUpgrade(rawRequest, socket, head, (accepted) => then({ socket: accepted, protocol: protocol ?? '' }));
}
