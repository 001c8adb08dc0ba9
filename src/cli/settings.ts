// Flags of `keks up`, checked: text from the command line or KEKS_* in, settings out.
import type { RuntimeKind } from '#fleet/home.ts';
import { CommandFailure, usage } from './failure.ts';
import type { OutputFormat } from './output.ts';
import { requirements } from './requirements.ts';

export interface UpFlags {
  name: string;
  nodes: string;
  runtime: string;
  instanceType: string;
  port: string;
  region: string;
  foreground: boolean;
  output: OutputFormat;
}

export interface UpSettings {
  name: string;
  nodes: number;
  runtime: 'auto' | RuntimeKind;
  instanceType: string;
  port: number;
  region: string;
}

export function upSettings(flags: UpFlags): UpSettings {
  if (!/^[0-9A-Za-z][\w-]{0,99}$/.test(flags.name)) throw usage(`--name ${flags.name}: letters, digits, hyphens and underscores only`);
  if (!/^(auto|containerd|simulated)$/.test(flags.runtime))
    throw usage(`--runtime ${flags.runtime}: must be auto, containerd or simulated`);
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(flags.region)) throw usage(`--region ${flags.region}: not the name of an AWS region`);
  return {
    name: flags.name,
    nodes: wholeNumber('--nodes', flags.nodes, { least: 0, most: 5000 }),
    runtime: flags.runtime as UpSettings['runtime'],
    instanceType: flags.instanceType,
    port: wholeNumber('--port', flags.port, { least: 0, most: 65_535 }),
    region: flags.region,
  };
}

function wholeNumber(flag: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw usage(`${flag} ${text}: must be a whole number from ${least} to ${most}`);
}

/** `auto` means real nodes wherever they can run. Refuses `containerd` where something is missing for it. */
export async function chooseRuntime(asked: UpSettings['runtime']): Promise<RuntimeKind> {
  if (asked === 'simulated') return asked;
  const missing = (await requirements()).filter((requirement) => !requirement.ok);
  if (missing.length === 0) return 'containerd';
  if (asked === 'auto') return 'simulated';
  const first = missing.map((requirement) => `${requirement.name} (${requirement.fix})`).join(', ');
  throw new CommandFailure(`real nodes cannot run here, missing: ${first}; see keks doctor`);
}
