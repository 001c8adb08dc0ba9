// What the API server asks of a node's kubelet: logs, exec, stats. Within one process it is called directly;
// across the network it is the kubelet's HTTPS port behind the same contract.
import type { Readable, Writable } from 'node:stream';

export interface ContainerTarget {
  namespace: string;
  pod: string;
  container: string;
}

export interface LogOptions {
  follow?: boolean;
  previous?: boolean;
  timestamps?: boolean;
  tailLines?: number;
  sinceMs?: number;
  limitBytes?: number;
  stream?: 'All' | 'Stdout' | 'Stderr';
}

export interface ExecOptions {
  command: string[];
  tty: boolean;
}

/** The caller's ends of the standard streams; undefined where the client did not ask for the stream. */
export interface ExecStreams {
  stdin?: Readable;
  stdout?: Writable;
  stderr?: Writable;
  /** Terminal sizes as they come. */
  resizes?: AsyncIterable<{ width: number; height: number }>;
  /** Aborted when the client went away. */
  signal: AbortSignal;
}

export interface KubeletConnection {
  logs(target: ContainerTarget, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  /** Resolves to the exit code once the process has ended and its output has been written. */
  exec(target: ContainerTarget, options: ExecOptions, streams: ExecStreams): Promise<number>;
  attach(target: ContainerTarget, options: { tty: boolean }, streams: ExecStreams): Promise<void>;
  portForward(target: { namespace: string; pod: string }, port: number, stream: { readable: Readable; writable: Writable }): Promise<void>;
  /** `/stats/summary`, `/metrics`, `/healthz` and what else the kubelet serves to GET. */
  get(path: string): Promise<{ status: number; contentType: string; body: string }>;
}

/** Finds the kubelet of a node; undefined where none can be reached. */
export type KubeletDirectory = (nodeName: string) => KubeletConnection | undefined;
