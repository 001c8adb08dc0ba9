// exec and attach: the standard streams of a process over channels, and how it ended as a Status on the error channel.
import type { Readable, Writable } from 'node:stream';
import { ApiError, badRequest, invalid, type Status } from '#api/meta/errors.ts';
import { required } from '#api/meta/field-errors.ts';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import type { KubeletConnection } from '#client/kubelet-connection.ts';
import type { RequestContext } from '../request.ts';
import { containerOf, findPod, kubeletOf, mustRun, type PodSource } from './pod-target.ts';
import { spdyCommand } from './spdy-command.ts';
import { upgradeKind } from './upgrade.ts';
import { webSocketCommand } from './websocket-command.ts';

export interface CommandOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** The client's ends, once it has opened them all. */
export interface CommandChannels {
  stdin?: Readable;
  stdout?: Writable;
  stderr?: Writable;
  resizes?: AsyncIterable<{ width: number; height: number }>;
  /** Aborted when the client went away. */
  signal: AbortSignal;
  /** Writes how it ended and closes the connection once everything is out. */
  finish(status: Partial<Status>): Promise<void>;
}

export type RunCommand = (channels: CommandChannels) => Promise<Partial<Status>>;

export async function serveExec(source: PodSource, request: HttpRequest, context: RequestContext): Promise<HttpResponse> {
  const command = context.query.getAll('command');
  const { namespace, name } = context.info;
  if (command.length === 0) throw invalid({ group: '', kind: 'PodExecOptions' }, name, [required('command')]);
  return await serveCommand(source, request, context, async (kubelet, container, tty, streams) => {
    const code = await kubelet.exec({ namespace, pod: name, container }, { command, tty }, streams);
    return code === 0 ? success : exited(code);
  });
}

export async function serveAttach(source: PodSource, request: HttpRequest, context: RequestContext): Promise<HttpResponse> {
  const { namespace, name } = context.info;
  return await serveCommand(source, request, context, async (kubelet, container, tty, streams) => {
    await kubelet.attach({ namespace, pod: name, container }, { tty }, streams);
    return success;
  });
}

type Command = (kubelet: KubeletConnection, container: string, tty: boolean, channels: CommandChannels) => Promise<Partial<Status>>;

async function serveCommand(source: PodSource, request: HttpRequest, context: RequestContext, command: Command): Promise<HttpResponse> {
  const { namespace, name } = context.info;
  const options = parseOptions(context.query);
  const kind = upgradeKind(request);
  const pod = await findPod(source, namespace, name);
  const container = containerOf(pod, context.query.get('container') ?? '');
  const kubelet = kubeletOf(source, pod);
  mustRun(pod, container);
  const run: RunCommand = async (channels) => {
    try {
      return await command(kubelet, container, options.tty, channels);
    } catch (error) {
      return failed(error);
    }
  };
  if (kind === 'websocket') await webSocketCommand(request, options, run);
  else spdyCommand(request, options, run);
  return { upgraded: true };
}

function parseOptions(query: URLSearchParams): CommandOptions {
  const flag = (name: string) => ['true', '1'].includes(query.get(name) ?? '');
  const tty = flag('tty');
  // A terminal has one output: upstream drops stderr then.
  const options = { stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr') && !tty, tty };
  if (!options.stdin && !options.stdout && !options.stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  return options;
}

const success: Partial<Status> = { metadata: {}, status: 'Success' };

function exited(code: number): Partial<Status> {
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

function failed(error: unknown): Partial<Status> {
  if (error instanceof ApiError) return error.status;
  const message = `error executing command in container: ${error instanceof Error ? error.message : String(error)}`;
  return { metadata: {}, status: 'Failure', message, reason: 'InternalError', details: { causes: [{ message }] }, code: 500 };
}
