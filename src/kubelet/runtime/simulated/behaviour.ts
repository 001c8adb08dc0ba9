// What a simulated container does: when it starts, exits and answers its probes.
//
// It runs for ever unless the pod's annotations or a plain command say otherwise (init containers end well at once):
//   simulation.keks.dev/start-delay           how long starting it takes
//   simulation.keks.dev/exit-after            how long it runs before it exits
//   simulation.keks.dev/exit-code             with which code (0)
//   simulation.keks.dev/ready-delay           how long after its start its readiness and startup probes begin to pass
//   simulation.keks.dev/liveness-fails-after  how long after its start its liveness probe begins to fail
//   simulation.keks.dev/stop-delay            how long it takes to obey SIGTERM
// Durations are Go's (`1.5s`, `200ms`, `2m`) or seconds. `exit-after.NAME` and so on speak of the container NAME alone.
// Commands that are understood: `sleep N`, `sleep infinity`, `true`, `false`, `exit N`, also as `sh -c 'sleep 5; exit 3'`.
import type { ContainerConfig, SandboxConfig } from '../runtime.ts';

export interface Behaviour {
  startDelayMs: number;
  /** Undefined: it runs until stopped. */
  exit?: { afterMs: number; code: number };
  readyDelayMs: number;
  livenessFailsAfterMs?: number;
  stopDelayMs: number;
}

const prefix = 'simulation.keks.dev/';

export function behaviourOf(config: ContainerConfig, sandbox: Pick<SandboxConfig, 'annotations'>): Behaviour {
  const { annotations } = sandbox;
  const read = (name: string): string | undefined => annotations[`${prefix}${name}.${config.name}`] ?? annotations[prefix + name];
  const duration = (name: string): number | undefined => durationMs(read(name));
  const isInit = config.annotations['keks.dev/container-kind'] === 'init';
  const own = annotations[`${prefix}exit-after.${config.name}`] !== undefined;
  // What is said of all containers is meant for the ordinary ones.
  const afterMs = isInit && !own ? undefined : duration('exit-after');
  const code = Number(read('exit-code') ?? 0);
  const exit =
    afterMs !== undefined
      ? { afterMs, code }
      : (exitOfCommand([...config.command, ...config.args]) ?? (isInit ? { afterMs: 0, code: 0 } : undefined));
  const livenessFailsAfterMs = duration('liveness-fails-after');
  return {
    startDelayMs: duration('start-delay') ?? 0,
    ...(exit !== undefined && exit.afterMs !== Number.POSITIVE_INFINITY && { exit }),
    readyDelayMs: duration('ready-delay') ?? 0,
    ...(livenessFailsAfterMs !== undefined && { livenessFailsAfterMs }),
    stopDelayMs: duration('stop-delay') ?? 0,
  };
}

/** `1h2m3.5s`, `200ms` or a number of seconds; undefined if it is neither. */
function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g)) total += Number(amount) * units[unit!]!;
  return total;
}

function exitOfCommand(words: string[]): Behaviour['exit'] {
  const [program = '', ...rest] = words;
  if (program === '') return undefined;
  const name = program.slice(program.lastIndexOf('/') + 1);
  if ((name === 'sh' || name === 'bash' || name === 'ash') && rest[0] === '-c' && rest[1] !== undefined) return exitOfScript(rest[1]);
  return exitOfScript([name, ...rest].join(' '));
}

/** A chain of sleeps and exits; undefined for anything else. */
function exitOfScript(script: string): Behaviour['exit'] {
  let afterMs = 0;
  let code = 0;
  for (const step of script.split(/;|&&|\n/).map((part) => part.trim())) {
    if (step === '') continue;
    const [word, argument] = step.split(/\s+/);
    if (word === 'sleep') {
      const ms = argument === 'infinity' || argument === 'inf' ? Number.POSITIVE_INFINITY : durationMs(argument);
      if (ms === undefined) return { afterMs, code: 1 };
      afterMs += ms;
      code = 0;
    } else if (word === 'true') code = 0;
    else if (word === 'false') code = 1;
    else if (word === 'exit') return { afterMs, code: Number(argument ?? code) & 0xff };
    else return undefined;
  }
  return { afterMs, code };
}
