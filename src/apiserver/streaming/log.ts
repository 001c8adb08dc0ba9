// pods/log: a container's output as plain text, as the kubelet has it.
import { invalid } from '#api/meta/errors.ts';
import { type FieldError, invalidValue, notAllowed, notSupported } from '#api/meta/field-errors.ts';
import type { LogOptions } from '#client/kubelet-connection.ts';
import type { Clock } from '#lib/clock.ts';
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import type { RequestContext } from '../request.ts';
import { containerOf, findPod, kubeletOf, mustHaveLog, type PodSource } from './pod-target.ts';

const text = { 'content-type': 'text/plain' };

export async function serveLog(source: PodSource, clock: Clock, _request: HttpRequest, context: RequestContext): Promise<HttpResponse> {
  const { namespace, name } = context.info;
  const options = parseOptions(context.query, name, clock);
  const pod = await findPod(source, namespace, name);
  const container = containerOf(pod, context.query.get('container') ?? '');
  // Not on a node yet: nothing was said yet, which is no error.
  if (!pod.spec?.nodeName) return { status: 200, headers: text, body: Buffer.alloc(0) };
  const kubelet = kubeletOf(source, pod);
  mustHaveLog(pod, container, options.previous ?? false);
  const log = await kubelet.logs({ namespace, pod: name, container }, options, context.signal);
  return {
    status: 200,
    headers: text,
    async body(sink) {
      const stop = () => log.destroy();
      context.signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const chunk of log) {
          if (!sink.write([Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk as string)])) await sink.drained();
        }
      } catch (error) {
        if (!context.signal.aborted) throw error;
      } finally {
        context.signal.removeEventListener('abort', stop);
      }
    },
  };
}

function parseOptions(query: URLSearchParams, pod: string, clock: Clock): LogOptions {
  const errors: FieldError[] = [];
  const number = (name: string, least: number): number | undefined => {
    const given = query.get(name);
    if (given === null || given === '') return undefined;
    const value = Number(given);
    const detail = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0';
    if (!Number.isInteger(value) || value < least) errors.push(invalidValue(name, Number.isNaN(value) ? given : value, detail));
    return value;
  };
  const flag = (name: string) => query.get(name) === 'true' || query.get(name) === '1' || query.get(name) === '';
  const tailLines = number('tailLines', 0);
  const limitBytes = number('limitBytes', 1);
  const sinceSeconds = number('sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  if (sinceTime && sinceSeconds !== undefined) errors.push(notAllowed('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  const sinceTimeMs = sinceTime ? Date.parse(sinceTime) : undefined;
  if (Number.isNaN(sinceTimeMs)) errors.push(invalidValue('sinceTime', sinceTime, 'must be a time in RFC 3339'));
  const stream = query.get('stream') || undefined;
  if (stream && !['All', 'Stdout', 'Stderr'].includes(stream)) errors.push(notSupported('stream', stream, ['All', 'Stdout', 'Stderr']));
  if (stream && stream !== 'All' && tailLines !== undefined) {
    errors.push(notAllowed('', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors);
  const sinceMs = sinceSeconds === undefined ? sinceTimeMs : clock.now() - sinceSeconds * 1000;
  return {
    ...(flag('follow') && query.has('follow') && { follow: true }),
    ...(flag('previous') && query.has('previous') && { previous: true }),
    ...(flag('timestamps') && query.has('timestamps') && { timestamps: true }),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(stream && { stream: stream as 'All' | 'Stdout' | 'Stderr' }),
  };
}
