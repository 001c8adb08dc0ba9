// The running daemon of a home, as the command line reaches it.
import { readFile } from 'node:fs/promises';
import type { FleetStatus } from '#fleet/control.ts';
import type { DaemonInfo, Home } from '#fleet/home.ts';
import { CommandFailure } from './failure.ts';

/** Undefined if none runs: also after kill -9, when its file is still there. */
export async function daemonStatus(home: Home): Promise<FleetStatus | undefined> {
  const info = await daemonInfo(home);
  if (info === undefined) return undefined;
  const token = await controlToken(home);
  if (token === undefined) return undefined;
  try {
    const response = await fetch(`${info.endpoint}/-/status`, { headers: { authorization: `Bearer ${token}` } });
    return response.ok ? ((await response.json()) as FleetStatus) : undefined;
  } catch {
    return undefined; // Nobody answers on its port.
  }
}

export async function requireDaemon(home: Home): Promise<FleetStatus> {
  const status = await daemonStatus(home);
  if (status !== undefined) return status;
  throw new CommandFailure(`keks is not running on ${home.directory}; start it with: keks up`);
}

/** Asks the daemon for something under /-/ and answers its JSON. */
export async function askDaemon(home: Home, path: string, body: object): Promise<unknown> {
  const { endpoint } = await requireDaemon(home);
  const response = await fetch(`${endpoint}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await controlToken(home)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { message?: string };
  if (!response.ok) throw new CommandFailure(answer.message ?? `the daemon answered ${response.status}`);
  return answer;
}

async function daemonInfo(home: Home): Promise<DaemonInfo | undefined> {
  const text = await readFile(home.daemonFile, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as DaemonInfo);
}

function controlToken(home: Home): Promise<string | undefined> {
  return readFile(home.tokenFile, 'utf8').catch(() => undefined);
}
