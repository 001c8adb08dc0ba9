// How many writes a second a number of clients get done, each waiting for its answer before the next.

export interface Throughput {
  perSecond: number;
  /** CPU of this process per write. */
  cpuMicros: number;
}

/** Writes until `durationMs` have passed, after a tenth of it as warm-up. */
export async function writesPerSecond(
  clients: number,
  durationMs: number,
  write: (number: number) => Promise<unknown>,
): Promise<Throughput> {
  let next = 0;
  let counted = 0;
  const measured = { from: 0, cpu: process.cpuUsage() };
  const start = performance.now();
  const warmUntil = start + durationMs / 10;
  const end = start + durationMs;
  let warm = false;
  const client = async () => {
    for (;;) {
      await write(next++);
      const now = performance.now();
      if (now >= end) return;
      if (!warm && now >= warmUntil) {
        warm = true;
        Object.assign(measured, { from: now, cpu: process.cpuUsage() });
        counted = 0;
      }
      counted++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - measured.from) / 1000;
  const { user, system } = process.cpuUsage(measured.cpu);
  return { perSecond: counted / seconds, cpuMicros: (user + system) / counted };
}
