// A user's shell: a home of its own in the environment, and the programs that a user types.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommandResult } from '#lib/command.ts';
import { run, tryRun } from '#lib/command.ts';
import { kubectlPath } from './kubectl.ts';

const bin = fileURLToPath(new URL('../../bin', import.meta.url));

export interface Shell {
  env: NodeJS.ProcessEnv;
  /** Runs a program and answers what it prints; rejects when it fails. An object as the last argument is piped in as JSON. */
  run(program: string, ...args: (string | object)[]): Promise<string>;
  /** The same for a program that may fail. */
  try(program: string, ...args: string[]): Promise<CommandResult>;
  /** Runs a program until what it has printed is enough, then ends it; rejects when that does not happen within the time. */
  follow(program: string, args: string[], isEnough: (printed: string) => boolean, limitMs: number): Promise<string>;
  /** `eval "$(keks env)"` */
  evalKeksEnv(): Promise<void>;
}

/** `home` is KEKS_HOME; nothing of the account that runs the test is seen. */
export async function openShell(home: string, variables: Record<string, string> = {}): Promise<Shell> {
  const user = join(home, 'user');
  await mkdir(user, { recursive: true });
  const path = [bin, dirname(await kubectlPath()), process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter);
  let env: NodeJS.ProcessEnv = { PATH: path, HOME: user, KEKS_HOME: home, TZ: 'UTC', ...variables };
  return {
    get env() {
      return env;
    },
    run(program, ...args) {
      const input = typeof args.at(-1) === 'object' ? JSON.stringify(args.pop()) : '';
      return run(program, args as string[], { env, input });
    },
    try: (program, ...args) => tryRun(program, args, { env }),
    follow: (program, args, isEnough, limitMs) => follow({ program, args, env }, isEnough, limitMs),
    async evalKeksEnv() {
      const text = await run('sh', ['-c', 'eval "$(keks env)"; env -0'], { env });
      env = Object.fromEntries(
        text
          .split('\0')
          .filter(Boolean)
          .map((line) => splitOnce(line, '=')),
      ); // prettier-ignore
    },
  };
}

function follow(
  { program, args, env }: { program: string; args: string[]; env: NodeJS.ProcessEnv },
  isEnough: (printed: string) => boolean,
  limitMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'], timeout: limitMs });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      if (isEnough(printed)) child.kill();
    });
    child.on('error', reject);
    child.on('close', () =>
      isEnough(printed) ? resolve(printed) : reject(new Error(`${program} ${args.join(' ')} printed only: ${printed}`)),
    );
  });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}
