// Ingresses: rules that lead hosts and paths to services; an ingress controller of the user's choice makes them work.
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressSpec } from '#api/generated/networking-v1.ts';
import { ingresses } from '#api/generated/resources.ts';
import { type FieldError, child, index, invalidValue, key, notSupported, required } from '#api/meta/field-errors.ts';
import { dnsLabelName, dnsSubdomainName, isDns1123Subdomain, isValidPortName, isValidPortNum } from '#api/meta/names.ts';
import { ipFamily } from '../core/ip-addresses.ts';
import type { ResourceRules } from '../resource.ts';
import { dropStatus, keepStatus } from '../status-ownership.ts';
import { ageCell, nameCell } from '../table-cells.ts';

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const UNCLEAR_PARTS = ['//', '/./', '/../', '%2f', '%2F'];
const UNCLEAR_ENDS = ['/..', '/.'];
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const SHOWN_HOSTS = 3;

export const ingressRules: ResourceRules<Ingress> = {
  resource: ingresses,
  setDefaults(ingress) {
    ingress.status ??= {};
    ingress.status.loadBalancer ??= {};
  },
  prepareForCreate(ingress) {
    dropStatus(ingress);
    ingress.status = { loadBalancer: {} };
  },
  prepareForUpdate: keepStatus,
  validate: (ingress) => [...validateClass(ingress), ...validateSpec(ingress.spec ?? {})],
  status: {
    validateUpdate: ({ status }) =>
      (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, position) =>
        ip && ipFamily(ip) === undefined
          ? [invalidValue(`${index('status.loadBalancer.ingress', position)}.ip`, ip, 'must be a valid IP address')]
          : [],
      ),
  },
  columns: [
    nameCell,
    ({ spec }) => spec?.ingressClassName ?? '<none>',
    ({ spec }) => hostsCell(spec?.rules ?? []),
    ({ status }) => [...new Set((status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || ''))].sort().join(','),
    ({ spec }) => ((spec?.tls?.length ?? 0) > 0 ? '80, 443' : '80'),
    ageCell,
  ],
};

function validateClass({ metadata, spec }: Ingress): FieldError[] {
  const name = spec?.ingressClassName;
  const errors = name === undefined ? [] : dnsSubdomainName(name, false).map((text) => invalidValue('spec.ingressClassName', name, text));
  const annotated = metadata.annotations?.[CLASS_ANNOTATION];
  if (name !== undefined && annotated !== undefined && name !== annotated) {
    const path = key('metadata.annotations', CLASS_ANNOTATION);
    errors.push(invalidValue(path, annotated, 'must match `ingressClassName` when both are specified'));
  }
  return errors;
}

function validateSpec(spec: IngressSpec): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec.rules?.length ?? 0) === 0 && spec.defaultBackend === undefined) {
    errors.push(invalidValue('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend'));
  for (const [position, { hosts = [] }] of (spec.tls ?? []).entries()) {
    const path = index('spec.tls', position);
    errors.push(...hosts.flatMap((host, at) => hostErrors(host).map((text) => invalidValue(index(child(path, 'hosts'), at), host, text))));
  }
  return [...errors, ...(spec.rules ?? []).flatMap((rule, position) => validateRule(rule, index('spec.rules', position)))];
}

function validateRule({ host = '', http }: IngressRule, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (host !== '') {
    if (ipFamily(host) !== undefined) errors.push(invalidValue(child(path, 'host'), host, 'must be a DNS name, not an IP address'));
    else errors.push(...hostErrors(host).map((text) => invalidValue(child(path, 'host'), host, text)));
  }
  if (http === undefined) return errors;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(required(child(path, 'http', 'paths')));
  return [...errors, ...paths.flatMap((each, position) => validatePath(each, index(child(path, 'http', 'paths'), position)))];
}

function hostErrors(host: string): string[] {
  if (!host.includes('*')) return isDns1123Subdomain(host);
  const isWildcard = host.startsWith('*.') && host.length <= 253 && isDns1123Subdomain(host.slice(2)).length === 0;
  const text =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  return isWildcard ? [] : [text];
}

function validatePath({ path: text = '', pathType, backend }: HTTPIngressPath, path: string): FieldError[] {
  const at = child(path, 'path');
  const errors: FieldError[] = [];
  if (!pathType) return [required(child(path, 'pathType'), 'pathType must be specified')];
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(child(path, 'pathType'), pathType, PATH_TYPES));
  else if (pathType === 'ImplementationSpecific') {
    if (text !== '' && !text.startsWith('/')) errors.push(invalidValue(at, text, 'must be an absolute path'));
  } else {
    if (!text.startsWith('/')) errors.push(invalidValue(at, text, 'must be an absolute path'));
    for (const part of UNCLEAR_PARTS) if (text.includes(part)) errors.push(invalidValue(at, text, `must not contain '${part}'`));
    for (const end of UNCLEAR_ENDS) if (text.endsWith(end)) errors.push(invalidValue(at, text, `cannot end with '${end}'`));
  }
  return [...errors, ...validateBackend(backend, child(path, 'backend'))];
}

function validateBackend({ service, resource }: IngressBackend = {}, path: string): FieldError[] {
  if (service && resource) return [invalidValue(path, '', 'cannot set both resource and service backends')];
  if (resource) {
    return (['kind', 'name'] as const).flatMap((field) => (resource[field] ? [] : [required(child(path, 'resource', field))]));
  }
  if (!service) return [invalidValue(path, '', 'resource or service backend is required')];
  const { name, port: { name: portName = '', number = 0 } = {} } = service;
  const errors = name
    ? dnsLabelName(name, false).map((text) => invalidValue(child(path, 'service', 'name'), name, text))
    : [required(child(path, 'service', 'name'))];
  if (portName !== '' && number !== 0) errors.push(invalidValue(path, '', 'cannot set both port name & port number'));
  else if (portName !== '') {
    errors.push(...isValidPortName(portName).map((text) => invalidValue(child(path, 'service', 'port', 'name'), portName, text)));
  } else if (number !== 0) {
    errors.push(...isValidPortNum(number).map((text) => invalidValue(child(path, 'service', 'port', 'number'), number, text)));
  } else errors.push(required(path, 'port name or number is required'));
  return errors;
}

function hostsCell(rules: readonly IngressRule[]): string {
  const hosts = rules.map(({ host }) => host ?? '').filter((host) => host !== '');
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, SHOWN_HOSTS).join(',');
  return hosts.length > SHOWN_HOSTS ? `${shown} + ${hosts.length - SHOWN_HOSTS} more...` : shown;
}
