// Structured logs, one JSON object a line: a contract so thin that a component names itself once. file-log.ts writes them.

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** The same log with fields added to every line. */
  with(fields: object): Log;
}

/** Drops everything: for tests and libraries that did not ask for logs. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };
