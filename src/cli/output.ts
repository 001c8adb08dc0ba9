// What commands print: text for people, JSON for programs; progress on stderr, and only on a terminal.

export type OutputFormat = 'text' | 'json';

export function print(format: OutputFormat, value: unknown, text: () => string): void {
  process.stdout.write(format === 'json' ? `${JSON.stringify(value, undefined, 2)}\n` : `${text()}\n`);
}

export interface Progress {
  /** Something begins; what was shown before is done. */
  step(what: string): void;
  done(): void;
}

/** `clock` measures how long each step took. */
export function terminalProgress(format: OutputFormat, clock: { monotonicMs(): number }): Progress {
  if (format === 'json' || !process.stderr.isTTY) return { step() {}, done() {} };
  let current: { what: string; startedMs: number } | undefined;
  const finish = () => {
    if (current === undefined) return;
    const seconds = ((clock.monotonicMs() - current.startedMs) / 1000).toFixed(2);
    process.stderr.write(`\r\x1b[K  ✓ ${current.what} (${seconds} s)\n`);
    current = undefined;
  };
  return {
    step(what) {
      finish();
      current = { what, startedMs: clock.monotonicMs() };
      process.stderr.write(`  · ${what} …`);
    },
    done: finish,
  };
}

/** Columns as wide as their widest cell, three spaces between them. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n'); // prettier-ignore
}
