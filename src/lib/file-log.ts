// Logs in files, by pino; apart from the contract so that who only drops logs does not load it.
import { pino } from 'pino';
import type { Log } from './log.ts';

/** Writes to `file` (appending, buffered by the kernel only) at `level`. */
export function fileLog(file: string, level = 'info'): Log {
  return wrap(
    pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: file, mkdir: true, sync: true })),
  );
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    with: (fields) => wrap(logger.child(fields)),
  };
}
