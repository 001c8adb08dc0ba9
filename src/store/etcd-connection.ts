// Calls to the members of one etcd: to the next one where one fails, with deadlines, and with the store's errors in place of gRPC's.
import type { ClientDuplexStream, ClientReadableStream, Metadata as GrpcMetadata, ServiceError } from '@grpc/grpc-js';
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import type { Clock } from '#lib/clock.ts';
import { systemClock } from '#lib/clock.ts';
import type { Calls, SnapshotPart, WatchCreate, WatchResponse } from './etcd-messages.ts';
import { FutureRevisionError, StoreUnavailableError, UnknownOutcomeError } from './store.ts';

export interface EtcdOptions {
  /** URLs of its members: `https://10.0.0.1:2379`. The first one that answers is kept until it fails. */
  endpoints: readonly string[];
  /** PEM. Needed where the URLs say https. */
  tls?: { ca: string; certificate?: string; key?: string };
  clock: Clock;
  /** How long a call may take, trying all members, before it fails with StoreUnavailableError. Default 3 s: longer than an election takes. */
  patienceMs?: number;
}

export interface EtcdConnection {
  /** Tries the members until one answers. A call that writes is tried again only where etcd cannot have taken it. */
  call<Name extends keyof Calls>(name: Name, request: Calls[Name][0]): Promise<Calls[Name][1]>;
  /** A stream from the current member; report its failure with `failed`. */
  watch(request: WatchCreate): EtcdStream<ClientDuplexStream<object, WatchResponse>>;
  snapshot(): EtcdStream<ClientReadableStream<SnapshotPart>>;
  close(): void;
}

interface EtcdStream<Stream> {
  stream: Stream;
  /** Says that the stream's member failed: the next call or stream goes to another one. */
  failed(): void;
}

/** The revision asked for is compacted. etcd does not say to where; compactedRevisionOf() asks. */
export class EtcdCompacted extends Error {
  override name = 'EtcdCompacted';
}

const defaultPatienceMs = 3_000;
/** A read that a member has not answered by then is asked of another one. */
const readAttemptMs = 1_000;
const retryDelayMs = 25;

export function connectEtcd(options: EtcdOptions): EtcdConnection {
  const { clock, patienceMs = defaultPatienceMs } = options;
  const methods = loadMethods();
  const members = options.endpoints.map((endpoint) => openMember(endpoint, options.tls));
  let current = 0;
  let closed = false;
  /** Since a member failed, nothing has been answered. */
  let isDoubtful = false;
  /** When the first of the calls failed that have all failed since. */
  let failingSince: number | undefined;

  let probing: Promise<unknown> | undefined;

  const moveOn = (from: number) => {
    if (current === from) current = (current + 1) % members.length;
    isDoubtful = true;
  };
  const attempt = <Name extends keyof Calls>(member: number, name: Name, request: Calls[Name][0], timeoutMs: number) =>
    new Promise<Calls[Name][1]>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methods.get(name)!;
      // gRPC wants the wall clock's time and sets its own timer by it.
      const deadline = new Date(systemClock.now() + timeoutMs);
      members[member]!.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        needsLeader(),
        { deadline },
        (error, response) => (error === null ? resolve(response as Calls[Name][1]) : reject(error)),
      );
    });
  const streamOf = <Stream>(open: (member: Client) => Stream): EtcdStream<Stream> => {
    const member = current;
    return { stream: open(members[member]!), failed: () => moveOn(member) };
  };

  /**
   * A member takes a write for a leader that has just died, and neither does it nor says so. A read it answers once there is
   * another leader, so after a failure a read goes first.
   */
  const untilLed = async () => {
    probing ??= call('Range', { key: Buffer.from('/'), count_only: true }).finally(() => (probing = undefined));
    await probing;
  };

  const call: EtcdConnection['call'] = async (name, request) => {
    const startedMs = clock.monotonicMs();
    for (let attempts = 1; ; attempts++) {
      if (closed) throw new StoreUnavailableError('the store is closed');
      if (isDoubtful && !isHarmless(name)) await untilLed();
      const member = current;
      const leftMs = Math.max(readAttemptMs, startedMs + patienceMs - clock.monotonicMs());
      try {
        const answer = await attempt(member, name, request, isHarmless(name) ? readAttemptMs : leftMs);
        failingSince = undefined;
        isDoubtful = false;
        return answer;
      } catch (error) {
        const cause = error as ServiceError;
        if (!isRepeatable(cause, isHarmless(name))) throw translate(cause, closed);
        moveOn(member);
        failingSince ??= startedMs;
        // In a long outage a call is given up after one round: those who ask are told at once.
        if (attempts >= members.length && clock.monotonicMs() >= failingSince + patienceMs) throw unavailable(cause);
        if (attempts % members.length === 0) await clock.sleep(retryDelayMs);
      }
    }
  };

  return {
    call,
    watch(request) {
      const { path, requestSerialize, responseDeserialize } = methods.get('Watch')!;
      return streamOf((member) => {
        const stream = member.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, needsLeader(), {});
        stream.write({ create_request: request });
        return stream as ClientDuplexStream<object, WatchResponse>;
      });
    },
    snapshot() {
      const { path, requestSerialize, responseDeserialize } = methods.get('Snapshot')!;
      return streamOf(
        (member) => member.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}) as ClientReadableStream<SnapshotPart>,
      );
    },
    close() {
      closed = true;
      for (const member of members) member.close();
    },
  };
}

function loadMethods(): ReadonlyMap<string, MethodDefinition<object, object>> {
  const file = fileURLToPath(new URL('etcd.proto', import.meta.url));
  const definitions = loadSync(file, { keepCase: true, longs: Number, enums: String, defaults: true });
  const services = ['KV', 'Watch', 'Maintenance'].map((name) => definitions[`etcdserverpb.${name}`]);
  return new Map(services.flatMap((service) => Object.entries(service as Record<string, MethodDefinition<object, object>>)));
}

function openMember(endpoint: string, tls: EtcdOptions['tls']): Client {
  const { protocol, host } = new URL(endpoint);
  if (protocol === 'https:' && tls === undefined) throw new Error(`${endpoint} needs a certificate authority`);
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const secret =
    protocol === 'https:' ? credentials.createSsl(pem(tls!.ca), pem(tls!.key), pem(tls!.certificate)) : credentials.createInsecure();
  return new Client(host, secret, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    // A member that comes back is found at once, and one behind a cut cable is given up.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 3_000,
    'grpc.keepalive_permit_without_calls': 1,
    // Two stores of one process do not share a connection: closing one leaves the other alone.
    'grpc.use_local_subchannel_pool': 1,
  });
}

/** A member without a leader refuses at once instead of waiting for one, and ends its watches. */
function needsLeader(): GrpcMetadata {
  const metadata = new Metadata();
  metadata.set('hasleader', 'true');
  return metadata;
}

/** Asking twice does what asking once does. */
const isHarmless = (name: keyof Calls) => name !== 'Txn';

/** What etcd answers, or gRPC finds, before the request has been handed to anybody. */
const notTaken = /^No connection established|^Name resolution failed|etcdserver: no leader|etcdserver: server stopped/;

function isRepeatable({ code, details }: ServiceError, harmless: boolean): boolean {
  if (code === status.UNAVAILABLE) return harmless || notTaken.test(details);
  return harmless && (code === status.DEADLINE_EXCEEDED || code === status.INTERNAL || code === status.UNKNOWN);
}

function translate(error: ServiceError, closed: boolean): Error {
  const { code, details } = error;
  if (code === status.CANCELLED && closed) return new StoreUnavailableError('the store is closed');
  if (code === status.OUT_OF_RANGE && details.includes('compacted')) return new EtcdCompacted(details);
  if (code === status.OUT_OF_RANGE && details.includes('future revision')) return new FutureRevisionError(details);
  // Out of space, or too many requests: refused before it was proposed.
  if (code === status.RESOURCE_EXHAUSTED) return unavailable(error);
  if (code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED || code === status.INTERNAL || code === status.UNKNOWN)
    return new UnknownOutcomeError(`etcd did not answer: ${details}`, { cause: error });
  return new Error(`etcd: ${details}`, { cause: error });
}

function unavailable(error: ServiceError): StoreUnavailableError {
  return new StoreUnavailableError(`etcd is not available: ${error.details}`, { cause: error });
}
