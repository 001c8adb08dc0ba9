// One HTTP request to a container, as probes and hooks send it; errors are worded as Go's client words them.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Container, HTTPGetAction } from '#api/generated/core-v1.ts';

export interface HttpTarget {
  url: URL;
  headers: Record<string, string>;
}

export interface HttpAnswer {
  statusCode?: number;
  body: string;
  /** Nothing was answered, and why. */
  error?: string;
}

const maxBodyBytes = 10 * 1024;
const maxRedirects = 10;

/** Resolves a port given by number or by name; undefined if the container has no such port. */
export function portOf(port: string | number, container: Container): number | undefined {
  if (typeof port === 'number') return port;
  if (/^[0-9]+$/.test(port)) return Number(port);
  return container.ports?.find(({ name }) => name === port)?.containerPort;
}

export function httpTarget(action: HTTPGetAction, container: Container, podIp: string | undefined): HttpTarget {
  const port = portOf(action.port, container);
  const host = action.host || podIp;
  if (port === undefined) throw new Error(`couldn't find port: ${JSON.stringify(action.port)}`);
  if (!host) throw new Error('the pod has no address');
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path ?? '/';
  const headers: Record<string, string> = { 'User-Agent': 'kube-probe/1.36', Accept: '*/*', Connection: 'close' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  const address = net.isIPv6(host) ? `[${host}]` : host;
  return { url: new URL(`${scheme}://${address}:${port}${path.startsWith('/') ? path : `/${path}`}`), headers };
}

export async function httpCheck(target: HttpTarget, timeoutMs: number): Promise<HttpAnswer> {
  let { url } = target;
  for (let hop = 0; ; hop++) {
    const answer = await requestOnce({ ...target, url }, timeoutMs);
    const { location } = answer;
    if (location === undefined || hop >= maxRedirects) return answer;
    const next = new URL(location, url);
    // A redirect to another host is not followed: it says that this one answers.
    if (next.hostname !== url.hostname) return { statusCode: 200, body: answer.body };
    url = next;
  }
}

function requestOnce(target: HttpTarget, timeoutMs: number): Promise<HttpAnswer & { location?: string }> {
  return new Promise((resolve) => {
    const { url, headers } = target;
    const signal = AbortSignal.timeout(Math.max(1, timeoutMs));
    const options = { headers, agent: false as const, signal, rejectUnauthorized: false };
    const fail = (error: NodeJS.ErrnoException) =>
      resolve({ body: '', error: `Get "${shown(url)}": ${reasonOf(error, url, signal.aborted)}` });
    const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        if (bytes < maxBodyBytes) chunks.push(chunk);
        bytes += chunk.length;
      });
      response.on('error', fail);
      response.on('end', () => {
        const body = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString();
        const statusCode = response.statusCode ?? 0;
        const { location } = response.headers;
        resolve({ statusCode, body, ...(statusCode >= 300 && statusCode < 400 && location !== undefined && { location }) });
      });
    });
    request.on('error', fail);
    request.end();
  });
}

function shown(url: URL): string {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return `${url.protocol}//${url.hostname}:${port}${url.pathname}${url.search}`;
}

function reasonOf(error: NodeJS.ErrnoException, url: URL, timedOut: boolean): string {
  if (timedOut) return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  return dialError(error, url.hostname, url.port || (url.protocol === 'https:' ? '443' : '80'));
}

export function dialError(error: NodeJS.ErrnoException, host: string, port: string): string {
  const texts: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
  };
  const text = texts[error.code ?? ''];
  if (text !== undefined) return `dial tcp ${host}:${port}: ${text}`;
  if (error.code === 'ECONNRESET') return `read tcp ${host}:${port}: read: connection reset by peer`;
  return error.message;
}
