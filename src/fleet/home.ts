// KEKS_HOME: one folder that holds everything of one keks, and the names of what lies in it. Two homes never meet.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Home {
  directory: string;
  /** The daemon's process id. */
  pidFile: string;
  /** Held by the daemon for as long as it lives. */
  lockFile: string;
  /** Where the running daemon is reached: DaemonInfo as JSON. */
  daemonFile: string;
  /** Bearer token of the control interface. */
  tokenFile: string;
  kubeconfig: string;
  aws: string;
  awsCredentials: string;
  eksState: string;
  clustersState: string;
  logs: string;
  daemonLog: string;
}

export interface DaemonInfo {
  pid: number;
  endpoint: string;
  port: number;
  region: string;
  runtime: RuntimeKind;
  startedAt: string;
}

export type RuntimeKind = 'simulated' | 'containerd';

export function homeOf(directory = process.env.KEKS_HOME || join(homedir(), '.keks')): Home {
  const root = resolve(directory);
  return {
    directory: root,
    pidFile: join(root, 'keks.pid'),
    lockFile: join(root, 'keks.lock'),
    daemonFile: join(root, 'state', 'daemon.json'),
    tokenFile: join(root, 'state', 'control-token'),
    kubeconfig: join(root, 'kubeconfig'),
    aws: join(root, 'aws'),
    awsCredentials: join(root, 'aws', 'credentials'),
    eksState: join(root, 'state', 'eks'),
    clustersState: join(root, 'state', 'clusters'),
    logs: join(root, 'logs'),
    daemonLog: join(root, 'logs', 'daemon.log'),
  };
}
