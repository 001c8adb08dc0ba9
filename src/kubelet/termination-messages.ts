// The last words of ended containers: what they wrote to their message file, or the end of their log where they failed without a word.
import { open, stat } from 'node:fs/promises';
import type { KubeletContext } from './context.ts';
import { terminationMessagePath } from './directories.ts';
import type { PodView } from './pod-view.ts';
import { containersOf } from './pod-view.ts';
import type { ContainerStatusInfo } from './runtime/runtime.ts';

const maxMessageBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;

/** Adds what is not known yet, by container id, and forgets instances that the runtime has no more. */
export async function readTerminationMessages(view: PodView, known: Map<string, string>, context: KubeletContext): Promise<void> {
  if (context.runtime.withoutFiles) return;
  // A container that crashes for days must not be remembered for each time.
  const instances = new Set(view.instances.map(({ id }) => id));
  for (const id of known.keys()) if (!instances.has(id)) known.delete(id);
  for (const container of containersOf(view)) {
    for (const instance of [container.current, container.previous]) {
      if (instance?.state !== 'exited' || known.has(instance.id)) continue;
      const file = terminationMessagePath(context, view.pod.metadata.uid!, instance.name, instance.attempt);
      const written = await readStart(file, maxMessageBytes);
      const fallback = written === '' && container.spec.terminationMessagePolicy === 'FallbackToLogsOnError' && instance.exitCode !== 0;
      const text = fallback ? await logEnd(instance) : written;
      known.set(instance.id, text || (instance.message ?? ''));
    }
  }
}

/** No more than that is read: a container may write as much as it likes. */
async function readStart(file: string, bytes: number): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The last lines of a CRI log, without their stamps. */
async function logEnd(instance: ContainerStatusInfo): Promise<string> {
  if (instance.logPath === undefined) return '';
  const info = await stat(instance.logPath).catch(() => undefined);
  if (info === undefined) return '';
  const handle = await open(instance.logPath);
  try {
    const length = Math.min(info.size, 4 * maxLogBytes);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, info.size - length);
    const lines = buffer.toString().split('\n').filter(Boolean).slice(-maxLogLines);
    const text = lines.map((line) => line.split(' ').slice(3).join(' ')).join('\n');
    return text.slice(-maxLogBytes) + (text === '' ? '' : '\n');
  } finally {
    await handle.close();
  }
}
