// gRPC to a containerd over its socket: one typed function per call that we use, with a deadline, failing with the runtime's words.
import type { CallOptions, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { Client, credentials, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#lib/clock.ts';
import type * as cri from './cri-messages.ts';

interface Calls {
  Version: [{ version?: string }, { runtime_name: string; runtime_version: string }];
  Status: [object, { status: { conditions: cri.RuntimeCondition[] } }];
  RunPodSandbox: [{ config: cri.PodSandboxConfig; runtime_handler: string }, { pod_sandbox_id: string }];
  StopPodSandbox: [{ pod_sandbox_id: string }, object];
  RemovePodSandbox: [{ pod_sandbox_id: string }, object];
  PodSandboxStatus: [{ pod_sandbox_id: string }, { status: cri.PodSandboxStatus }];
  ListPodSandbox: [{ filter?: cri.Filter }, { items: cri.PodSandbox[] }];
  CreateContainer: [
    { pod_sandbox_id: string; config: cri.ContainerConfig; sandbox_config: cri.PodSandboxConfig },
    { container_id: string },
  ];
  StartContainer: [{ container_id: string }, object];
  StopContainer: [{ container_id: string; timeout: number }, object];
  RemoveContainer: [{ container_id: string }, object];
  ListContainers: [{ filter?: cri.Filter }, { containers: cri.Container[] }];
  ContainerStatus: [{ container_id: string }, { status: cri.ContainerStatus }];
  ExecSync: [{ container_id: string; cmd: string[]; timeout: number }, { stdout: Buffer; stderr: Buffer; exit_code: number }];
  Exec: [{ container_id: string; cmd: string[]; tty: boolean; stdin: boolean; stdout: boolean; stderr: boolean }, { url: string }];
  Attach: [{ container_id: string; tty: boolean; stdin: boolean; stdout: boolean; stderr: boolean }, { url: string }];
  PortForward: [{ pod_sandbox_id: string; port: number[] }, { url: string }];
  PodSandboxStats: [{ pod_sandbox_id: string }, { stats: cri.PodSandboxStats }];
  ListPodSandboxStats: [object, { stats: cri.PodSandboxStats[] }];
  ListImages: [object, { images: cri.Image[] }];
  ImageStatus: [{ image: { image: string } }, { image: cri.Image | null }];
  PullImage: [{ image: { image: string } }, { image_ref: string }];
  RemoveImage: [{ image: { image: string } }, object];
}

interface EventEnvelope {
  topic: string;
  event: { value: Buffer } | null;
}

export interface CriClient {
  call<Name extends keyof Calls>(name: Name, request: Calls[Name][0], timeoutMs?: number): Promise<Calls[Name][1]>;
  /** containerd's event stream; ends with 'error' or 'end'. */
  subscribe(filters: string[]): ClientReadableStream<EventEnvelope>;
  close(): void;
}

const defaultTimeoutMs = 2 * 60_000;

export function createCriClient(socket: string): CriClient {
  const methods = new Map<string, MethodDefinition<object, object>>();
  for (const [file, services] of [
    ['cri.proto', ['runtime.v1.RuntimeService', 'runtime.v1.ImageService']],
    ['events.proto', ['containerd.services.events.v1.Events']],
  ] as const) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const definitions = loadSync(path, { keepCase: true, longs: Number, enums: Number, defaults: true });
    for (const service of services) {
      const definition = definitions[service] as Record<string, MethodDefinition<object, object>>;
      for (const [name, method] of Object.entries(definition)) methods.set(name, method);
    }
  }
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 << 20,
    // A containerd that is restarted answers again at once, not after gRPC's minutes of back-off.
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
  return {
    call: (name, request, timeoutMs = defaultTimeoutMs) =>
      new Promise((resolve, reject) => {
        const method = methods.get(name)!;
        const options: CallOptions = { deadline: deadlineIn(timeoutMs) };
        const { path, requestSerialize, responseDeserialize } = method;
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, (error, response) => {
          if (error === null) resolve(response as never);
          else reject(error);
        });
      }),
    subscribe(filters) {
      const { path, requestSerialize, responseDeserialize } = methods.get('Subscribe')!;
      return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
        filters,
      }) as ClientReadableStream<EventEnvelope>;
    },
    close: () => client.close(),
  };
}

/** gRPC wants the wall clock's time and sets its own timer by it. */
function deadlineIn(timeoutMs: number): Date {
  return new Date(systemClock.now() + timeoutMs);
}

export function isNotFound(error: unknown): boolean {
  return (error as ServiceError).code === status.NOT_FOUND;
}

/** `rpc error: code = NotFound desc = …`: how Kubernetes' events print what a runtime said. */
export function describe(error: unknown): string {
  const { code, details } = error as Partial<ServiceError>;
  if (code === undefined) return (error as Error).message;
  return `rpc error: code = ${codeNames[code] ?? `Code(${code})`} desc = ${details}`;
}

const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];
