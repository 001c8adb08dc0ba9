// The gRPC health check (grpc.health.v1.Health/Check) as a probe.
import { systemClock } from '#lib/clock.ts';
import type { Metadata as GrpcMetadata, ServiceError } from '@grpc/grpc-js';
import type { ProbeResult } from './probe.ts';

const serving = 1;

const health = {
  Check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: encodeRequest,
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: () => Buffer.alloc(0),
    responseDeserialize: decodeStatus,
  },
};

type Check = (
  service: string,
  metadata: GrpcMetadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, status?: number) => void,
) => void;

export async function grpcHealth(host: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  // Loaded with the first such probe: it is a large library, and few pods ask for it.
  const { Metadata, credentials, makeGenericClientConstructor, status } = await import('@grpc/grpc-js');
  const HealthClient = makeGenericClientConstructor(health, 'Health');
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const client = new HealthClient(address, credentials.createInsecure(), { 'grpc.primary_user_agent': 'kube-probe/1.36' });
  return new Promise((resolve) => {
    const end = (outcome: ProbeResult['outcome'], output: string): void => {
      client.close();
      resolve({ outcome, output });
    };
    const check = (client as unknown as { Check: Check }).Check.bind(client);
    // gRPC takes its deadline as a moment of the machine's clock.
    check(service, new Metadata(), { deadline: systemClock.now() + timeoutMs }, (error, answer) => {
      if (error === null) {
        if (answer === serving) return end('success', `service healthy`);
        return end('failure', `service unhealthy (responded with "${answer === 2 ? 'NOT_SERVING' : 'UNKNOWN'}")`);
      }
      if (error.code === status.UNIMPLEMENTED) return end('failure', `server doesn't support gRPC health checks: ${error.details}`);
      if (error.code === status.DEADLINE_EXCEEDED)
        return end('failure', `timeout: health rpc did not complete within ${timeoutMs / 1000}s`);
      if (error.code === status.UNAVAILABLE)
        return end('failure', `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s: ${error.details}`);
      return end('failure', `error: health rpc failed: ${error.details}`);
    });
  });
}

/** HealthCheckRequest: the service's name in field 1. */
function encodeRequest(service: string): Buffer {
  if (service === '') return Buffer.alloc(0);
  const name = Buffer.from(service).subarray(0, 16_383);
  const length = name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >>> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** HealthCheckResponse: the status in field 1; 0 where it is absent. */
function decodeStatus(bytes: Buffer): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}
