// A command that failed: one line that says what to do, and the exit code. 1 failed, 2 wrong usage.

export class CommandFailure extends Error {
  override name = 'CommandFailure';
  readonly exitCode: 1 | 2;
  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function usage(message: string): CommandFailure {
  return new CommandFailure(message, 2);
}
