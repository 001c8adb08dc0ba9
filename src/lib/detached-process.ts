// A process that outlives its parent: started detached, remembered in a pid file together with its start time, so that the
// next owner adopts it and never mistakes a stranger that got the same pid for it.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Clock } from './clock.ts';

export interface ProcessRecord {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. With the boot id it names a process for ever. */
  startTicks: string;
  bootId: string;
}

export interface DetachedOptions {
  program: string;
  args: string[];
  pidFile: string;
  /** Standard output and error are appended here. */
  logFile: string;
  env?: NodeJS.ProcessEnv;
}

/** Starts the program in a session of its own and writes the pid file. */
export async function startDetached(options: DetachedOptions): Promise<ProcessRecord> {
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.program, options.args, { detached: true, stdio: ['ignore', log, log], env: options.env });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`cannot run ${options.program}: ${error.message}`, { cause: error })));
    });
    child.unref();
    const startTicks = await startTicksOf(child.pid!);
    if (startTicks === undefined) throw new Error(`${options.program} ended at once, see ${options.logFile}`);
    const record = { pid: child.pid!, startTicks, bootId: await currentBootId() };
    await writeFile(`${options.pidFile}.new`, JSON.stringify(record));
    await rename(`${options.pidFile}.new`, options.pidFile);
    return record;
  } finally {
    closeSync(log);
  }
}

/** The process of a pid file, if that very process still runs. */
export async function runningProcess(pidFile: string): Promise<ProcessRecord | undefined> {
  let record: ProcessRecord;
  try {
    record = JSON.parse(await readFile(pidFile, 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
  return (await isRunning(record)) ? record : undefined;
}

export async function isRunning(record: ProcessRecord): Promise<boolean> {
  return record.bootId === (await currentBootId()) && (await startTicksOf(record.pid)) === record.startTicks;
}

/** Ends the process of a pid file, kindly first, and removes the file. Idempotent. */
export async function stopDetached(pidFile: string, clock: Clock, graceMs = 5000): Promise<void> {
  const record = await runningProcess(pidFile);
  if (record !== undefined) {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      sendSignal(record.pid, signal);
      const deadlineMs = clock.monotonicMs() + graceMs;
      while ((await isRunning(record)) && clock.monotonicMs() < deadlineMs) await clock.sleep(20);
      if (!(await isRunning(record))) break;
    }
  }
  await rm(pidFile, { force: true });
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Undefined if there is no such process, or only its zombie. */
async function startTicksOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The program's name may hold spaces and parentheses: count from behind its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

async function currentBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
