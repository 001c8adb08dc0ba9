// Streams a container's log from its files (or from a simulated runtime): tail, since, follow across rotation, limits.
import type { FileHandle } from 'node:fs/promises';
import { open, readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { badRequest } from '#api/meta/errors.ts';
import type { LogOptions } from '#client/kubelet-connection.ts';
import type { KubeletContext } from '../context.ts';
import { rotatedLogs } from '../log-rotation.ts';
import type { ContainerStatusInfo } from '../runtime/runtime.ts';
import { createLogFormat, parseLogLine, tailStart } from './log-lines.ts';

const lookAgainMs = 200;
const chunkBytes = 64 * 1024;

export async function readContainerLog(
  instance: ContainerStatusInfo,
  options: LogOptions,
  signal: AbortSignal,
  context: KubeletContext,
): Promise<Readable> {
  const { runtime } = context;
  if (instance.logPath === undefined && runtime.readLog === undefined)
    throw badRequest(`the log of container ${instance.name} cannot be read`);
  const source =
    instance.logPath === undefined ? simulatedLines(instance, options, signal, context) : fileLines(instance, options, signal, context);
  return Readable.from(formatted(source, options, signal), { objectMode: false });
}

async function* formatted(source: AsyncIterable<string>, options: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  const format = createLogFormat(options);
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const raw of source) {
    if (signal.aborted) return;
    const line = parseLogLine(raw);
    const text = line === undefined ? undefined : format(line);
    if (text === undefined) continue;
    const bytes = Buffer.from(text).subarray(0, left);
    left -= bytes.length;
    yield bytes;
    if (left <= 0) return;
  }
}

async function* simulatedLines(
  instance: ContainerStatusInfo,
  options: LogOptions,
  signal: AbortSignal,
  context: KubeletContext,
): AsyncGenerator<string> {
  const { runtime } = context;
  const read = async () => (await runtime.readLog!(instance.id)).split('\n').filter(Boolean);
  let lines = await read();
  let shown = lines.length;
  yield* options.tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - options.tailLines));
  while (options.follow && !signal.aborted && (await isRunning(instance, context))) {
    await changed(context, signal);
    lines = await read();
    yield* lines.slice(shown);
    shown = lines.length;
  }
}

/** Resolves at the next event of the runtime, or when the reader leaves. */
function changed({ runtime }: KubeletContext, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      off();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const off = runtime.onEvent(end);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}

async function* fileLines(
  instance: ContainerStatusInfo,
  options: LogOptions,
  signal: AbortSignal,
  context: KubeletContext,
): AsyncGenerator<string> {
  const logPath = instance.logPath!;
  let file = await open(logPath).catch(() => undefined);
  // The container's output may not have begun.
  while (file === undefined) {
    if (!options.follow || signal.aborted || !(await isRunning(instance, context))) return;
    await context.clock.sleep(lookAgainMs, signal).catch(() => undefined);
    file = await open(logPath).catch(() => undefined);
  }
  try {
    let position = 0;
    if (options.tailLines !== undefined) {
      const bytes = await file.readFile();
      position = tailStart(bytes, options.tailLines);
      yield* (await earlierLines(logPath, bytes, options.tailLines)) ?? [];
    }
    let rest = '';
    for (;;) {
      const wasRunning = options.follow === true && (await isRunning(instance, context));
      for await (const chunk of chunksFrom(file, position)) {
        position += chunk.length;
        rest += chunk.toString('utf8');
        const lines = rest.split('\n');
        rest = lines.pop()!;
        yield* lines;
      }
      if (signal.aborted) return;
      const next = await rotatedTo(logPath, file);
      if (next !== undefined) {
        await file.close();
        file = next;
        position = 0;
        continue;
      }
      // What was written before the container ended has been read by now.
      if (!wasRunning) break;
      await context.clock.sleep(lookAgainMs, signal).catch(() => undefined);
    }
    if (rest !== '') yield rest;
  } finally {
    await file.close();
  }
}

async function* chunksFrom(file: FileHandle, position: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let at = position;
  // A character may be cut at the end of a chunk: chunks end with whole lines, or where there are none with the chunk.
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, at);
    if (bytesRead === 0) return;
    const end = buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
    const length = end > 0 ? end : bytesRead;
    if (end === 0 && bytesRead < chunkBytes) return;
    at += length;
    yield Buffer.from(buffer.subarray(0, length));
  }
}

/** The newest rotated file's share of a tail that is longer than the current file. */
async function earlierLines(logPath: string, current: Buffer, tailLines: number): Promise<string[] | undefined> {
  const have = current.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
  if (have >= tailLines) return undefined;
  const last = (await rotatedLogs(logPath)).at(-1);
  if (last === undefined) return undefined;
  const bytes = await readFile(last);
  return bytes
    .subarray(tailStart(bytes, tailLines - have))
    .toString()
    .split('\n')
    .filter(Boolean);
}

/** The new file under the log's name, if the open one was moved away. */
async function rotatedTo(logPath: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [here, open_] = await Promise.all([stat(logPath).catch(() => undefined), file.stat()]);
  return here !== undefined && here.ino !== open_.ino ? open(logPath) : undefined;
}

async function isRunning(instance: ContainerStatusInfo, { runtime }: KubeletContext): Promise<boolean> {
  const uid = instance.labels['io.kubernetes.pod.uid'];
  const found = await runtime.pods(uid);
  return found.some(({ containers }) => containers.some(({ id, state }) => id === instance.id && state === 'running'));
}
