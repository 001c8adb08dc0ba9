// Preloaded into a daemon under measurement: SIGUSR2 collects garbage.
import { isMainThread } from 'node:worker_threads';

const collect = (globalThis as { gc?: () => void }).gc;
if (isMainThread && collect) process.on('SIGUSR2', collect);
