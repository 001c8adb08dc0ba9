// Programs of the machine, run by name with a list of arguments: never through a shell.
import { spawn } from 'node:child_process';

export interface CommandOptions {
  /** Written to the program's standard input, which is then closed. */
  input?: string | Buffer;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  /** More output than this ends the program. Default 16 MiB. */
  maxOutputBytes?: number;
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A program that ended badly; the message holds what it said. */
class CommandError extends Error {
  override name = 'CommandError';
  readonly code: number | undefined;
  readonly stderr: string;
  constructor(message: string, code: number | undefined, stderr: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.stderr = stderr;
  }
}

/** Runs a program to its end and answers its output. Throws CommandError if it cannot start or exits with another code than 0. */
export async function run(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryRun(program, args, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr.trim() || result.stdout.trim()).slice(0, 2000);
  throw new CommandError(`${[program, ...args].join(' ')}: exit code ${result.code}${said && `: ${said}`}`, result.code, result.stderr);
}

/** The same for a program whose exit code is an answer. Throws only if it cannot be started or says too much. */
export function tryRun(program: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const limit = options.maxOutputBytes ?? 16 << 20;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: options.cwd, env: options.env, signal: options.signal });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let bytes = 0;
    const collect = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) child.kill('SIGKILL');
      else output[name].push(chunk);
    };
    child.stdout.on('data', collect('stdout'));
    child.stderr.on('data', collect('stderr'));
    child.on('error', (error) => reject(new CommandError(`cannot run ${program}: ${error.message}`, undefined, '', { cause: error })));
    child.on('close', (code, signal) => {
      const stderr = Buffer.concat(output.stderr).toString();
      if (bytes > limit) reject(new CommandError(`${program}: more than ${limit} bytes of output`, undefined, stderr));
      else if (code === null) reject(new CommandError(`${program}: killed by ${signal}`, undefined, stderr));
      else resolve({ code, stdout: Buffer.concat(output.stdout).toString(), stderr });
    });
    // A program that ends without reading its input is no error of ours: its exit code tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
