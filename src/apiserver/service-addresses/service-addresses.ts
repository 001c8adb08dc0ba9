// What services are given: cluster addresses and node ports. What is taken is read off the services themselves, so nothing can leak:
// whatever no stored service and no request under way holds is free.
import { isIPv6 } from 'node:net';
import type { Service, ServiceSpec } from '#api/generated/core-v1.ts';
import { internalError, invalid } from '#api/meta/errors.ts';
import { invalidValue } from '#api/meta/field-errors.ts';
import type { FieldError } from '#api/meta/field-errors.ts';
import type { Random } from '#lib/random.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { Finish, WriteHooks } from '../endpoints/hooks.ts';
import { needsClusterIp, needsHealthCheckPort, needsNodePort } from '../resources/core/service-transitions.ts';
import { setFamilies } from './families.ts';
import type { IpRange } from './ip-range.ts';
import { ipRange } from './ip-range.ts';

export interface ServiceAddresses {
  hooks: WriteHooks<Service>;
  /** Follows the services; call it when the cache is filled. */
  start(cache: ResourceCache, revision: number): void;
  stop(): void;
}

export interface ServiceAddressesOptions {
  cidr: string;
  random: Random;
  nodePorts?: { first: number; last: number };
}

/** How often something is held: by stored services, and by requests on their way. */
type Holdings<T> = Map<T, number>;

export function createServiceAddresses(options: ServiceAddressesOptions): ServiceAddresses {
  const range = ipRange(options.cidr);
  const ports = options.nodePorts ?? { first: 30_000, last: 32_767 };
  const heldIps: Holdings<string> = new Map();
  const heldPorts: Holdings<number> = new Map();
  let watch: { close(): void } | undefined;

  const note = (service: Service | undefined, by: 1 | -1) => {
    if (service === undefined) return;
    for (const ip of addressesOf(service.spec)) hold(heldIps, ip, by);
    for (const port of portsOf(service.spec)) hold(heldPorts, port, by);
  };

  const begin = (service: Service, old: Service | undefined): Finish => {
    const spec = service.spec!;
    setFamilies(service);
    const errors = [
      ...takeClusterIp(spec, { range, held: heldIps, random: options.random, own: addressesOf(old?.spec) }),
      ...takeNodePorts(spec, { ...ports, held: heldPorts, random: options.random, own: portsOf(old?.spec) }),
    ];
    if (errors.length > 0) throw invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors);
    // Held until the world has the service, or the request has failed.
    const reserved = structuredClone(service);
    note(reserved, 1);
    return () => note(reserved, -1);
  };

  return {
    hooks: { beginCreate: (service) => begin(service, undefined), beginUpdate: (service, old) => begin(service, old) },
    start(cache, revision) {
      for (const entry of cache.list({})) note(entry.object as Service, 1);
      watch = cache.watch({}, revision, {
        events(events) {
          for (const { event } of events) {
            note(event.previous?.object as Service | undefined, -1);
            note(event.current?.object as Service | undefined, 1);
          }
        },
        ended() {},
      });
    },
    stop: () => watch?.close(),
  };
}

interface IpChoice {
  range: IpRange;
  held: Holdings<string>;
  random: Random;
  /** What the service has already. */
  own: readonly string[];
}

function takeClusterIp(spec: ServiceSpec, { range, held, random, own }: IpChoice): FieldError[] {
  if (!needsClusterIp(spec) || spec.clusterIP === 'None') return [];
  const asked = spec.clusterIPs?.[0] ?? spec.clusterIP;
  if (asked) {
    if (own.includes(asked) || isIPv6(asked)) return [];
    const refuse = (why: string) => [invalidValue('spec.clusterIPs', spec.clusterIPs ?? [asked], `failed to allocate IP ${asked}: ${why}`)];
    if (!range.has(asked)) return refuse(`the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${range.cidr}`);
    return held.has(asked) ? refuse('provided IP is already allocated') : [];
  }
  // The low end is left to those who ask for an address by name, as cluster DNS does.
  const band = Math.min(Math.max(16, Math.floor(range.size / 16)), 256);
  const start = band < range.size ? band : 0;
  const position = freeFrom(range.size, start, random, (candidate) => !held.has(range.at(candidate)));
  if (position === undefined) throw internalError('failed to allocate a serviceIP: range is full');
  spec.clusterIP = range.at(position);
  spec.clusterIPs = [spec.clusterIP];
  return [];
}

interface PortChoice {
  first: number;
  last: number;
  held: Holdings<number>;
  random: Random;
  own: readonly number[];
}

function takeNodePorts(spec: ServiceSpec, choice: PortChoice): FieldError[] {
  const { first, last, held, own } = choice;
  const errors: FieldError[] = [];
  const mine = new Set<number>();
  const check = (port: number, path: string) => {
    if (own.includes(port) || mine.has(port)) return;
    if (port < first || port > last) {
      errors.push(invalidValue(path, port, `provided port is not in the valid range. The range of valid ports is ${first}-${last}`));
    } else if (held.has(port)) errors.push(invalidValue(path, port, 'provided port is already allocated'));
    mine.add(port);
  };
  const wants = needsNodePort(spec);
  for (const [position, port] of (spec.ports ?? []).entries()) {
    if (port.nodePort && wants) check(port.nodePort, `spec.ports[${position}].nodePort`);
  }
  if (spec.healthCheckNodePort && needsHealthCheckPort(spec)) check(spec.healthCheckNodePort, 'spec.healthCheckNodePort');
  if (errors.length > 0) return errors;
  for (const port of spec.ports ?? []) if (wants && !port.nodePort) port.nodePort = freePort(choice, mine);
  if (needsHealthCheckPort(spec) && !spec.healthCheckNodePort) spec.healthCheckNodePort = freePort(choice, mine);
  return [];
}

function freePort({ first, last, held, random }: PortChoice, mine: Set<number>): number {
  const found = freeFrom(last - first + 1, 0, random, (position) => !held.has(first + position) && !mine.has(first + position));
  if (found === undefined) throw internalError('failed to allocate a nodePort: range is full');
  mine.add(first + found);
  return first + found;
}

/** A free position, at random from `start` on, and below it only when nothing else is left. */
function freeFrom(size: number, start: number, random: Random, isFree: (position: number) => boolean): number | undefined {
  const width = size - start;
  const offset = Math.floor(random.next() * width);
  for (let i = 0; i < width; i++) {
    const position = start + ((offset + i) % width);
    if (isFree(position)) return position;
  }
  for (let position = 0; position < start; position++) if (isFree(position)) return position;
  return undefined;
}

function hold<T>(holdings: Holdings<T>, what: T, by: 1 | -1): void {
  const count = (holdings.get(what) ?? 0) + by;
  if (count > 0) holdings.set(what, count);
  else holdings.delete(what);
}

function addressesOf(spec: ServiceSpec | undefined): string[] {
  return (spec?.clusterIPs ?? []).filter((ip) => ip !== 'None');
}

function portsOf(spec: ServiceSpec | undefined): number[] {
  const ports = [...(spec?.ports ?? []).map(({ nodePort }) => nodePort), spec?.healthCheckNodePort];
  // Two protocols of one service may share a number.
  return [...new Set(ports.filter((port): port is number => !!port))];
}
