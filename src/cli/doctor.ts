// keks doctor: what this machine lacks for real nodes, and how to get it.
import type { OutputFormat } from './output.ts';
import { print, table } from './output.ts';
import type { Requirement } from './requirements.ts';
import { requirements } from './requirements.ts';

export async function doctor({ output }: { output: OutputFormat }): Promise<void> {
  const checks = await requirements();
  const missing = checks.filter((check) => !check.ok);
  const packages = missing.flatMap((check) => check.debianPackage ?? []);
  const install = packages.length > 0 ? `apt-get install -y ${packages.join(' ')}` : undefined;
  print(output, { realNodes: missing.length === 0, packages, install, checks }, () => describe(checks, install));
  if (missing.length > 0) process.exitCode = 1;
}

function describe(checks: Requirement[], install: string | undefined): string {
  const rows = checks.map((check) => [check.ok ? 'ok' : 'MISSING', check.name, check.ok ? check.detail : `${check.detail} → ${check.fix}`]);
  const verdict = checks.every((check) => check.ok)
    ? 'Real nodes (containerd) can run here.'
    : `Real nodes cannot run here yet; simulated ones can (--runtime simulated).${install ? `\nOn Debian or Ubuntu, as root: ${install}` : ''}`;
  return `${table(rows)}\n\n${verdict}`;
}
