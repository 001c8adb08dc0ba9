// Runs one probe once: exec, httpGet, tcpSocket or grpc; texts are upstream's.
import net from 'node:net';
import type { Container, Probe } from '#api/generated/core-v1.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import { grpcHealth } from './grpc.ts';
import { dialError, httpCheck, httpTarget, portOf } from './http.ts';

export interface ProbeResult {
  /** `unknown`: the probe itself could not be done. */
  outcome: 'success' | 'failure' | 'unknown';
  output: string;
}

export interface ProbeTarget {
  containerId: string;
  container: Container;
  podIp: string | undefined;
  kind: 'startup' | 'liveness' | 'readiness';
}

export async function runProbe(probe: Probe, target: ProbeTarget, runtime: ContainerRuntime): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (runtime.probe !== undefined) {
      const { success, output } = await runtime.probe(target.containerId, target.kind);
      return { outcome: success ? 'success' : 'failure', output };
    }
    if (probe.exec !== undefined) return await execProbe(probe.exec.command ?? [], target, runtime, timeoutMs);
    if (probe.httpGet !== undefined) {
      const answer = await httpCheck(httpTarget(probe.httpGet, target.container, target.podIp), timeoutMs);
      if (answer.statusCode === undefined) return { outcome: 'failure', output: answer.error ?? '' };
      if (answer.statusCode >= 200 && answer.statusCode < 400) return { outcome: 'success', output: answer.body };
      return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${answer.statusCode}` };
    }
    if (probe.tcpSocket !== undefined) {
      const port = portOf(probe.tcpSocket.port, target.container);
      if (port === undefined) return { outcome: 'unknown', output: `couldn't find port: ${JSON.stringify(probe.tcpSocket.port)}` };
      return await tcpProbe(probe.tcpSocket.host || target.podIp || '', port, timeoutMs);
    }
    if (probe.grpc !== undefined) return await grpcHealth(target.podIp ?? '', probe.grpc.port, probe.grpc.service ?? '', timeoutMs);
    return { outcome: 'unknown', output: 'missing probe handler' };
  } catch (error) {
    return { outcome: 'unknown', output: error instanceof Error ? error.message : String(error) };
  }
}

async function execProbe(command: string[], target: ProbeTarget, runtime: ContainerRuntime, timeoutMs: number): Promise<ProbeResult> {
  const { exitCode, stdout, stderr } = await runtime.execSync(target.containerId, command, timeoutMs);
  const output = Buffer.concat([stdout, stderr])
    .toString()
    .slice(0, 10 * 1024);
  return { outcome: exitCode === 0 ? 'success' : 'failure', output };
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: timeoutMs });
    const end = (outcome: ProbeResult['outcome'], output: string): void => {
      socket.destroy();
      resolve({ outcome, output });
    };
    socket.once('connect', () => end('success', ''));
    socket.once('timeout', () => end('failure', `dial tcp ${host}:${port}: i/o timeout`));
    socket.once('error', (error) => end('failure', dialError(error, host, String(port))));
  });
}
