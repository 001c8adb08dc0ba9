// What the cluster's names mean: the DNS specification of Kubernetes (schema 1.1.0) as CoreDNS answers it. Pure: a view of services
// and endpoint slices in, records out.
import type { Answer } from 'dns-packet';
import type { Service } from '#api/generated/core-v1.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '#api/generated/discovery-v1.ts';

export interface ZoneView {
  /** `cluster.local` */
  domain: string;
  service(namespace: string, name: string): Service | undefined;
  hasNamespace(namespace: string): boolean;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  /** Services whose cluster address this is. */
  servicesAt(address: string): readonly Service[];
  /** Slices that hold this endpoint address. */
  slicesAt(address: string): readonly EndpointSlice[];
}

export type ZoneAnswer =
  | { kind: 'answers'; answers: Answer[]; additionals: Answer[] }
  /** The name exists, but has no record of that type. */
  | { kind: 'noData' }
  | { kind: 'noName' }
  /** Not ours: ask others. */
  | { kind: 'elsewhere' };

/** CoreDNS' default for the kubernetes plugin. */
export const ttlSeconds = 5;

const noName: ZoneAnswer = { kind: 'noName' };
const noData: ZoneAnswer = { kind: 'noData' };
const reverseZone = '.in-addr.arpa';

/** `question.name` in any case, without the closing dot. */
export function resolve(view: ZoneView, question: { name: string; type: string }): ZoneAnswer {
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (name.endsWith(reverseZone)) return resolveReverse(view, question, name.slice(0, -reverseZone.length));
  if (name === view.domain) return noData;
  if (!name.endsWith(`.${view.domain}`)) return { kind: 'elsewhere' };
  const labels = name.slice(0, -view.domain.length - 1).split('.');
  const [last, namespace, ...rest] = labels.reverse();
  if (last === 'dns-version' && labels.length === 1) {
    return question.type === 'TXT' ? found([{ name: question.name, type: 'TXT', ttl: ttlSeconds, data: '1.1.0' }]) : noData;
  }
  if (last !== 'svc' && last !== 'pod') return noName;
  if (namespace === undefined) return noData;
  if (!view.hasNamespace(namespace)) return noName;
  if (rest.length === 0) return noData;
  return last === 'pod' ? resolvePod(question, rest) : resolveService(view, question, namespace, rest);
}

/** `10-0-2-1.default.pod.cluster.local`: whatever address the name spells (CoreDNS' `pods insecure`, as EKS has it). */
function resolvePod(question: { name: string; type: string }, rest: string[]): ZoneAnswer {
  const address = rest.length === 1 && /^\d{1,3}(-\d{1,3}){3}$/.test(rest[0]!) ? rest[0]!.replaceAll('-', '.') : undefined;
  if (address === undefined || address.split('.').some((part) => Number(part) > 255)) return noName;
  return isAddress(question.type) ? found([addressRecord(question.name, address)]) : noData;
}

function resolveService(view: ZoneView, question: { name: string; type: string }, namespace: string, rest: string[]): ZoneAnswer {
  // `rest` is reversed: the service's name, then an endpoint's, or `_tcp` and `_http`.
  const [name, ...inner] = rest as [string, ...string[]];
  const service = view.service(namespace, name);
  if (service === undefined) return noName;
  const slices = view.slices(namespace, name).filter(({ addressType }) => addressType === 'IPv4');
  if (inner.length === 0) return resolveWhole(view, question, service, slices);
  if (inner.length === 1) return resolveEndpoint(question, service, slices, inner[0]!);
  if (inner.length === 2 && inner.every((label) => label.startsWith('_'))) {
    const [protocol, port] = inner.map((label) => label.slice(1)) as [string, string];
    const ports = portsOf(service, slices).filter((candidate) => matches(candidate, port, protocol));
    if (ports.length === 0) return noName;
    return question.type === 'SRV'
      ? serviceRecords(view, question.name, service, slices, (candidate) => matches(candidate, port, protocol))
      : noData;
  }
  return noName;
}

function resolveWhole(view: ZoneView, question: { name: string; type: string }, service: Service, slices: EndpointSlice[]): ZoneAnswer {
  const { spec } = service;
  if (spec.type === 'ExternalName') {
    const cname: Answer = { name: question.name, type: 'CNAME', ttl: ttlSeconds, data: spec.externalName! };
    return ['A', 'AAAA', 'CNAME'].includes(question.type) ? found([cname]) : noData;
  }
  if (!isHeadless(service)) {
    if (isAddress(question.type)) return found(addressesOf(service).map((address) => addressRecord(question.name, address)));
    return question.type === 'SRV' ? serviceRecords(view, question.name, service, slices, () => true) : noData;
  }
  const endpoints = readyEndpoints(slices);
  // CoreDNS: a headless service nobody stands behind has no name.
  if (endpoints.length === 0) return noName;
  if (isAddress(question.type))
    return found(unique(endpoints.flatMap(({ addresses }) => addresses)).map((address) => addressRecord(question.name, address)));
  return question.type === 'SRV' ? serviceRecords(view, question.name, service, slices, () => true) : noData;
}

function resolveEndpoint(question: { name: string; type: string }, service: Service, slices: EndpointSlice[], label: string): ZoneAnswer {
  if (!isHeadless(service)) return noName;
  const named = readyEndpoints(slices).flatMap((endpoint) => endpoint.addresses.filter((address) => labelOf(endpoint, address) === label));
  if (named.length === 0) return noName;
  return isAddress(question.type) ? found(unique(named).map((address) => addressRecord(question.name, address))) : noData;
}

interface Port {
  name: string;
  protocol: string;
  port: number;
}

function serviceRecords(
  view: ZoneView,
  question: string,
  service: Service,
  slices: EndpointSlice[],
  wanted: (port: Port) => boolean,
): ZoneAnswer {
  const { name, namespace } = service.metadata;
  const serviceName = `${name}.${namespace}.svc.${view.domain}`;
  const answers: Answer[] = [];
  const additionals = new Map<string, Answer>();
  const add = (port: number, target: string, addresses: string[]): void => {
    answers.push({ name: question, type: 'SRV', ttl: ttlSeconds, data: { priority: 0, weight: 100, port, target } });
    for (const address of addresses) additionals.set(`${target} ${address}`, addressRecord(target, address));
  };
  if (!isHeadless(service)) {
    for (const port of portsOf(service, slices).filter(wanted)) add(port.port, serviceName, addressesOf(service));
  } else {
    for (const slice of slices) {
      for (const port of (slice.ports ?? []).flatMap(portOfSlice).filter(wanted)) {
        for (const endpoint of readyEndpoints([slice])) {
          for (const address of endpoint.addresses) add(port.port, `${labelOf(endpoint, address)}.${serviceName}`, [address]);
        }
      }
    }
  }
  if (answers.length === 0) return noData;
  const weight = Math.floor(100 / answers.length) || 1;
  for (const answer of answers) (answer.data as { weight: number }).weight = weight;
  return { kind: 'answers', answers, additionals: [...additionals.values()] };
}

function resolveReverse(view: ZoneView, question: { name: string; type: string }, reversed: string): ZoneAnswer {
  const address = reversed.split('.').reverse().join('.');
  const service = view.servicesAt(address)[0];
  const targets = service
    ? [`${service.metadata.name}.${service.metadata.namespace}.svc.${view.domain}`]
    : view.slicesAt(address).flatMap((slice) => endpointNames(view, slice, address));
  if (targets.length === 0) return { kind: 'elsewhere' };
  return question.type === 'PTR'
    ? found(unique(targets).map((data) => ({ name: question.name, type: 'PTR', ttl: ttlSeconds, data })))
    : noData;
}

function endpointNames(view: ZoneView, slice: EndpointSlice, address: string): string[] {
  const serviceName = slice.metadata.labels?.['kubernetes.io/service-name'];
  const service = serviceName === undefined ? undefined : view.service(slice.metadata.namespace!, serviceName);
  if (service === undefined || !isHeadless(service)) return [];
  const endpoints = readyEndpoints([slice]).filter(({ addresses }) => addresses.includes(address));
  return endpoints.map((endpoint) => `${labelOf(endpoint, address)}.${serviceName}.${slice.metadata.namespace}.svc.${view.domain}`);
}

const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === 'None';
const isAddress = (type: string): boolean => type === 'A';

function addressesOf({ spec }: Service): string[] {
  return (spec.clusterIPs ?? [spec.clusterIP ?? '']).filter((address) => address !== '' && !address.includes(':'));
}

/** The slice controller has decided who is ready, also for services that publish the others. */
function readyEndpoints(slices: EndpointSlice[]): Endpoint[] {
  return slices.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready ?? true);
}

/** A pod's hostname where it has one under this service, else its address with dashes. */
function labelOf(endpoint: Endpoint, address: string): string {
  return endpoint.hostname || address.replaceAll('.', '-');
}

function portsOf(service: Service, slices: EndpointSlice[]): Port[] {
  if (isHeadless(service)) return slices.flatMap(({ ports }) => (ports ?? []).flatMap(portOfSlice));
  return (service.spec.ports ?? []).map(({ name = '', protocol = 'TCP', port }) => ({ name, protocol, port }));
}

function portOfSlice({ name = '', protocol = 'TCP', port }: EndpointPort): Port[] {
  return port === undefined ? [] : [{ name, protocol, port }];
}

const matches = (candidate: Port, name: string, protocol: string): boolean =>
  candidate.name === name && candidate.protocol.toLowerCase() === protocol;

function addressRecord(name: string, address: string): Answer {
  return { name, type: 'A', ttl: ttlSeconds, data: address };
}

function found(answers: Answer[]): ZoneAnswer {
  return answers.length === 0 ? noData : { kind: 'answers', answers, additionals: [] };
}

const unique = <T>(items: T[]): T[] => [...new Set(items)];
