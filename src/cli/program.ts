// The command line: which commands and flags there are. What a command does is loaded only when it is called.
import { Command, CommanderError, Option } from 'commander';
import { defaultPort, defaultRegion } from './defaults.ts';
import { CommandFailure } from './failure.ts';
import type { LogsFlags } from './logs.ts';
import type { OutputFormat } from './output.ts';
import type { UpFlags } from './settings.ts';
import { version } from './version.ts';

/** Answers the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`keks: ${(error as Error).message}\n`);
    return error instanceof CommandFailure ? error.exitCode : 1;
  }
}

function program(): Command {
  const keks = new Command('keks')
    .description('Amazon EKS that you run yourself. Everything lives in KEKS_HOME (~/.keks).')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'keks: ')) })
    .version(version, '-V, --version', 'show the version')
    .showSuggestionAfterError()
    .exitOverride();
  addLifecycle(keks);
  addAccess(keks);
  command(keks, 'logs [component]', 'show a log of the daemon or of a cluster component; without one, list them')
    .addOption(nameOption())
    .option('-f, --follow', 'go on as the log grows', false)
    .action(async (component: string | undefined, flags: LogsFlags) => (await import('./logs.ts')).logs(component, flags));
  const image = keks.command('image').description('images for the nodes').exitOverride();
  command(image, 'load <file>', 'make the images of an OCI archive or docker save file available to all nodes').action(
    async (file: string, flags: { output: OutputFormat }) => (await import('./image-load.ts')).imageLoad(file, flags),
  );
  command(keks, 'version', 'show versions').action(async (flags: { output: OutputFormat }) =>
    (await import('./version.ts')).showVersion(flags),
  );
  return keks;
}

function addLifecycle(keks: Command): void {
  daemonOptions(command(keks, 'up', 'start keks and a cluster with nodes; does nothing that is done already'))
    .addOption(nameOption())
    .addOption(new Option('--nodes <count>', 'nodes of the cluster').env('KEKS_NODES').default('2'))
    .addOption(new Option('--instance-type <type>', 'what the nodes are').env('KEKS_INSTANCE_TYPE').default('t3.medium'))
    .addOption(new Option('--foreground', 'stay in this terminal until interrupted').env('KEKS_FOREGROUND').default(false))
    .action(async (flags: UpFlags) => (await import('./up.ts')).up(flags));
  command(keks, 'down', 'stop keks; its state stays').action(async (flags: { output: OutputFormat }) =>
    (await import('./down.ts')).down(flags),
  );
  command(keks, 'status', 'show the daemon, its clusters and nodes').action(async (flags: { output: OutputFormat }) =>
    (await import('./status.ts')).status(flags),
  );
  command(keks, 'doctor', 'check what real nodes need of this machine').action(async (flags: { output: OutputFormat }) =>
    (await import('./doctor.ts')).doctor(flags),
  );
  daemonOptions(keks.command('daemon', { hidden: true }).exitOverride()).action(
    async (flags: Pick<UpFlags, 'runtime' | 'port' | 'region'>) => {
      const { runDaemon } = await import('./run-daemon.ts');
      const { upSettings } = await import('./settings.ts');
      await runDaemon(upSettings({ name: 'x', nodes: '0', instanceType: '', foreground: true, output: 'text', ...flags }));
    },
  );
}

function addAccess(keks: Command): void {
  command(keks, 'env', 'print what a shell needs: eval "$(keks env)"').action(async (flags: { output: OutputFormat }) =>
    (await import('./env.ts')).env(flags),
  );
  command(keks, 'kubeconfig', 'print a kubeconfig for a cluster')
    .addOption(nameOption())
    .action(async (flags: { name: string; output: OutputFormat }) => (await import('./kubeconfig.ts')).kubeconfig(flags));
  command(keks, 'token', 'print an IAM token for a cluster, as kubectl asks for it')
    .requiredOption('--cluster-name <name>', 'the cluster that the token opens')
    .action(async (flags: { clusterName: string }) => (await import('./token.ts')).token(flags));
}

function command(parent: Command, name: string, description: string): Command {
  const output = new Option('-o, --output <format>', 'how to print the result')
    .env('KEKS_OUTPUT')
    .choices(['text', 'json'])
    .default('text');
  return parent.command(name).description(description).addOption(output).exitOverride();
}

function daemonOptions(command_: Command): Command {
  return command_
    .addOption(new Option('--runtime <kind>', 'nodes: auto, containerd or simulated').env('KEKS_RUNTIME').default('auto'))
    .addOption(new Option('--port <port>', 'port of the EKS endpoint on 127.0.0.1').env('KEKS_PORT').default(String(defaultPort)))
    .addOption(new Option('--region <region>', 'the AWS region to be').env('KEKS_REGION').default(defaultRegion));
}

function nameOption(): Option {
  return new Option('--name <name>', 'the cluster').env('KEKS_NAME').default('keks');
}
