// What Linux says about a process: its memory and the CPU time that its threads have had.
import { readFile, readdir } from 'node:fs/promises';

export async function memoryOf(pid: number): Promise<{ rssMb: number; pssMb: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)![1]);
  return { rssMb: kilobytes('Rss') / 1024, pssMb: kilobytes('Pss') / 1024 };
}

/** Of all its threads, to the nanosecond: the clock ticks of /proc/PID/stat are too coarse for a process that sleeps. */
export async function cpuMsOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = threads.map(async (thread) => {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
    return Number(text.split(' ')[0]) / 1e6;
  });
  return (await Promise.all(times)).reduce((sum, time) => sum + time, 0);
}
