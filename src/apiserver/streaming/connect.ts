// The subresources that are streams or passages to a kubelet, by `resource/subresource`: what the pipeline connects requests to.
import { badRequest, internalError, methodNotAllowed, notFound } from '#api/meta/errors.ts';
import type { KubeletDirectory } from '#client/kubelet-connection.ts';
import type { Clock } from '#lib/clock.ts';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import type { RequestContext } from '../request.ts';
import { serveLog } from './log.ts';
import type { PodSource } from './pod-target.ts';
import { servePortForward } from './port-forward.ts';
import { serveAttach, serveExec } from './remote-command.ts';

export type ConnectHandler = (request: HttpRequest, context: RequestContext) => Promise<HttpResponse>;

export function connectHandlers(
  options: PodSource & { clock: Clock; nodeExists(name: string): boolean },
): Readonly<Record<string, ConnectHandler>> {
  return {
    'pods/log': (request, context) => serveLog(options, options.clock, request, context),
    'pods/exec': (request, context) => serveExec(options, request, context),
    'pods/attach': (request, context) => serveAttach(options, request, context),
    'pods/portforward': (request, context) => servePortForward(options, request, context),
    'nodes/proxy': (request, context) => serveNodeProxy(options.kubelets, options.nodeExists, request, context),
  };
}

/** Hands a GET on to the kubelet: what follows `/proxy` in the path, with its query. */
async function serveNodeProxy(
  kubelets: KubeletDirectory,
  nodeExists: (name: string) => boolean,
  request: HttpRequest,
  context: RequestContext,
): Promise<HttpResponse> {
  const { name } = context.info;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
  const at = request.path.indexOf('/proxy');
  if (at < 0) throw badRequest('a path behind /proxy is required');
  if (!nodeExists(name)) throw notFound({ group: '', plural: 'nodes' }, name);
  const kubelet = kubelets(name);
  if (!kubelet) throw internalError(`error dialing backend: the kubelet of node ${JSON.stringify(name)} cannot be reached`);
  const path = request.path.slice(at + '/proxy'.length) || '/';
  const answer = await kubelet.get(request.query === '' ? path : `${path}?${request.query}`);
  return { status: answer.status, headers: { 'content-type': answer.contentType }, body: Buffer.from(answer.body) };
}
