// Endpoint slices: at most a thousand addresses of one type behind a service.
import type { Endpoint, EndpointPort, EndpointSlice } from '#api/generated/discovery-v1.ts';
import { endpointslices } from '#api/generated/resources.ts';
import { type FieldError, child, duplicate, index, invalidValue, key, notSupported, required, tooMany } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidLabelValue, isValidPortName } from '#api/meta/names.ts';
import { endpointAddressErrors } from '../core/ip-addresses.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, firstOf, nameCell } from '../table-cells.ts';

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MAX_ENDPOINTS = 1000;
const MAX_PORTS = 20_000;
const MAX_ADDRESSES = 100;
const MAX_TOPOLOGY_LABELS = 16;
const MAX_HINTS = 8;

export const endpointSliceRules: ResourceRules<EndpointSlice> = {
  resource: endpointslices,
  setDefaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
    slice.endpoints ??= [];
  },
  validate(slice) {
    const { addressType = '', endpoints = [], ports = [] } = slice;
    const errors = ADDRESS_TYPES.includes(addressType)
      ? []
      : [addressType === '' ? required('addressType') : notSupported('addressType', addressType, ADDRESS_TYPES)];
    if (endpoints.length > MAX_ENDPOINTS) return [...errors, tooMany('endpoints', endpoints.length, MAX_ENDPOINTS)];
    for (const [position, endpoint] of endpoints.entries())
      errors.push(...validateEndpoint(endpoint, addressType, index('endpoints', position)));
    return [...errors, ...validatePorts(ports)];
  },
  validateUpdate: (slice, old) => validateImmutableField(slice.addressType, old.addressType, 'addressType'),
  columns: [
    nameCell,
    (slice) => slice.addressType,
    ({ ports = [] }) =>
      firstOf(
        ports.map(({ port, name }) => (port !== undefined ? String(port) : name || '*')),
        3,
      ) || '<unset>',
    ({ endpoints = [] }) =>
      firstOf(
        endpoints.flatMap(({ addresses }) => addresses),
        3,
      ) || '<unset>',
    ageCell,
  ],
};

function validateEndpoint(endpoint: Endpoint, addressType: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const addresses = endpoint.addresses ?? [];
  const addressPath = child(path, 'addresses');
  if (addresses.length === 0) errors.push(required(addressPath, 'must contain at least 1 address'));
  else if (addresses.length > MAX_ADDRESSES) errors.push(tooMany(addressPath, addresses.length, MAX_ADDRESSES));
  for (const [position, address] of addresses.entries())
    errors.push(...validateAddress(address, addressType, index(addressPath, position)));
  if (endpoint.nodeName !== undefined)
    errors.push(
      ...isDns1123Subdomain(endpoint.nodeName).map((message) => invalidValue(child(path, 'nodeName'), endpoint.nodeName, message)),
    );
  errors.push(...validateTopology(endpoint, child(path, 'deprecatedTopology')));
  if (endpoint.hostname !== undefined)
    errors.push(...isDns1123Label(endpoint.hostname).map((message) => invalidValue(child(path, 'hostname'), endpoint.hostname, message)));
  return [...errors, ...validateHints(endpoint, child(path, 'hints'))];
}

function validateAddress(address: string, addressType: string, path: string): FieldError[] {
  if (addressType === 'FQDN') {
    // FQDNs may end with a dot.
    const name = address.endsWith('.') ? address.slice(0, -1) : address;
    return isDns1123Subdomain(name).map((message) => invalidValue(path, address, message));
  }
  if (addressType === 'IPv4' || addressType === 'IPv6') return endpointAddressErrors(address, path, addressType);
  return [];
}

function validateTopology({ deprecatedTopology = {} }: Endpoint, path: string): FieldError[] {
  const entries = Object.entries(deprecatedTopology);
  if (entries.length > MAX_TOPOLOGY_LABELS) return [tooMany(path, entries.length, MAX_TOPOLOGY_LABELS)];
  return entries.flatMap(([name, value]) => [
    ...isQualifiedName(name).map((message) => invalidValue(path, name, message)),
    ...isValidLabelValue(value).map((message) => invalidValue(key(path, name), value, message)),
  ]);
}

function validateHints({ hints }: Endpoint, path: string): FieldError[] {
  if (!hints) return [];
  return [...validateHintNames(hints.forZones, child(path, 'forZones')), ...validateHintNames(hints.forNodes, child(path, 'forNodes'))];
}

function validateHintNames(hints: readonly { name: string }[] | undefined, path: string): FieldError[] {
  if (!hints) return [];
  if (hints.length > MAX_HINTS) return [tooMany(path, hints.length, MAX_HINTS)];
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [position, { name }] of hints.entries()) {
    const field = child(index(path, position), 'name');
    if (seen.has(name)) errors.push(duplicate(field, name));
    seen.add(name);
    errors.push(...isValidLabelValue(name).map((message) => invalidValue(field, name, message)));
  }
  return errors;
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  if (ports.length > MAX_PORTS) return [tooMany('ports', ports.length, MAX_PORTS)];
  const names = new Set<string>();
  const errors: FieldError[] = [];
  for (const [position, { name = '', protocol, port, appProtocol }] of ports.entries()) {
    const path = index('ports', position);
    if (name !== '') errors.push(...isValidPortName(name).map((message) => invalidValue(child(path, 'name'), name, message)));
    if (names.has(name)) errors.push(duplicate(child(path, 'name'), name));
    names.add(name);
    if (protocol === undefined) errors.push(required(child(path, 'protocol')));
    else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(child(path, 'protocol'), protocol, PROTOCOLS));
    if (port !== undefined && (port < 1 || port > 65535))
      errors.push(invalidValue(child(path, 'port'), port, 'must be between 1 and 65535, inclusive'));
    if (appProtocol !== undefined)
      errors.push(...isQualifiedName(appProtocol).map((message) => invalidValue(child(path, 'appProtocol'), appProtocol, message)));
  }
  return errors;
}
