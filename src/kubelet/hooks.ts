// Lifecycle hooks: commands, HTTP requests and pauses around a container's life.
import type { Container, LifecycleHandler } from '#api/generated/core-v1.ts';
import type { KubeletContext } from './context.ts';
import { httpCheck, httpTarget } from './probes/http.ts';

export interface HookTarget {
  containerId: string;
  container: Container;
  podIp: string | undefined;
}

const hookTimeoutMs = 120_000;

/** Throws with what went wrong; the message is what the event quotes. */
export async function runHook(
  hook: LifecycleHandler,
  target: HookTarget,
  context: KubeletContext,
  timeoutMs = hookTimeoutMs,
): Promise<void> {
  if (hook.sleep !== undefined) return context.clock.sleep(Math.min(hook.sleep.seconds * 1000, timeoutMs));
  // Simulated containers have no process that a hook could reach.
  if (context.runtime.withoutFiles) return;
  if (hook.exec !== undefined) {
    const command = hook.exec.command ?? [];
    const { exitCode, stdout, stderr } = await context.runtime.execSync(target.containerId, command, timeoutMs);
    if (exitCode === 0) return;
    throw new Error(
      `Exec lifecycle hook (${JSON.stringify(command)}) for Container "${target.container.name}" failed - error: command '${command.join(' ')}' exited with ${exitCode}: ${stderr.toString()}, message: ${JSON.stringify(stdout.toString() + stderr.toString())}`,
    );
  }
  if (hook.httpGet !== undefined) {
    const answer = await httpCheck(httpTarget(hook.httpGet, target.container, target.podIp), timeoutMs);
    if (answer.error !== undefined) throw new Error(answer.error);
    return;
  }
  if (hook.tcpSocket !== undefined) return;
  throw new Error('invalid handler: no action specified');
}
