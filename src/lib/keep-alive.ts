// Clock timers never keep a process alive: whoever has nothing else open holds it while waiting.

export async function keepAliveDuring<T>(work: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, 60_000);
  return work.finally(() => clearInterval(hold));
}
