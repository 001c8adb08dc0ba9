// CRI log lines (`stamp stream tag text`) and what a reader wants of them: pure, fed with chunks of the file.
import type { LogOptions } from '#client/kubelet-connection.ts';

export interface LogLine {
  timestamp: string;
  stream: 'stdout' | 'stderr';
  /** A full line, not a part of one that was too long for the runtime. */
  isFull: boolean;
  text: string;
}

export function parseLogLine(line: string): LogLine | undefined {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  const third = line.indexOf(' ', second + 1);
  if (first < 0 || second < 0) return undefined;
  const tag = third < 0 ? line.slice(second + 1) : line.slice(second + 1, third);
  return {
    timestamp: line.slice(0, first),
    stream: line.slice(first + 1, second) === 'stderr' ? 'stderr' : 'stdout',
    isFull: tag.split(':')[0] !== 'P',
    text: third < 0 ? '' : line.slice(third + 1),
  };
}

/** Turns lines into what the reader gets; undefined for lines that are not for it. */
export function createLogFormat(options: LogOptions): (line: LogLine) => string | undefined {
  return (line) => {
    if (options.stream === 'Stdout' && line.stream !== 'stdout') return undefined;
    if (options.stream === 'Stderr' && line.stream !== 'stderr') return undefined;
    if (options.sinceMs !== undefined && Date.parse(line.timestamp) < options.sinceMs) return undefined;
    return `${options.timestamps ? `${line.timestamp} ` : ''}${line.text}${line.isFull ? '\n' : ''}`;
  };
}

/** Where the last `count` lines of a text begin. Parts of a line count as lines, as upstream counts them. */
export function tailStart(bytes: Buffer, count: number): number {
  let left = count;
  let position = bytes.length;
  if (count <= 0) return bytes.length;
  if (bytes[position - 1] === 0x0a) position--;
  for (; position > 0; position--) {
    if (bytes[position - 1] !== 0x0a) continue;
    if (--left === 0) return position;
  }
  return 0;
}
