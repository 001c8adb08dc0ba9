// Endpoints: the older form of a service's addresses.
import { isIPv6 } from 'node:net';
import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset } from '#api/generated/core-v1.ts';
import { endpoints } from '#api/generated/resources.ts';
import { type FieldError, child, index, invalidValue, required } from '#api/meta/field-errors.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidPortNum } from '#api/meta/names.ts';
import { oneOf } from '../one-of.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, firstOf, nameCell } from '../table-cells.ts';
import { endpointAddressErrors } from './ip-addresses.ts';

export const endpointsRules: ResourceRules<Endpoints> = {
  resource: endpoints,
  setDefaults(object) {
    for (const subset of object.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
  },
  validate: (object) => (object.subsets ?? []).flatMap((subset, position) => validateSubset(subset, index('subsets', position))),
  validateUpdate(object, old) {
    const nodeOf = nodesByAddress(old);
    return (object.subsets ?? []).flatMap(({ addresses = [] }, position) =>
      addresses.flatMap(({ ip, nodeName }, place) => {
        const before = nodeOf.get(ip);
        const path = child(index(child(index('subsets', position), 'addresses'), place), 'nodeName');
        return before !== undefined && nodeName !== undefined && before !== nodeName
          ? [invalidValue(path, nodeName, 'field is immutable')]
          : [];
      }),
    );
  },
  columns: [nameCell, endpointsCell, ageCell],
};

/** The first mention of an address counts. */
function nodesByAddress({ subsets = [] }: Endpoints): Map<string, string | undefined> {
  const nodes = new Map<string, string | undefined>();
  for (const { addresses = [] } of subsets) for (const { ip, nodeName } of addresses) if (!nodes.has(ip)) nodes.set(ip, nodeName);
  return nodes;
}

function validateSubset({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset, path: string): FieldError[] {
  const errors =
    addresses.length + notReadyAddresses.length === 0 ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : [];
  for (const [field, list] of [
    ['addresses', addresses],
    ['notReadyAddresses', notReadyAddresses],
  ] as const)
    for (const [position, address] of list.entries()) errors.push(...validateAddress(address, index(child(path, field), position)));
  for (const [position, port] of ports.entries())
    errors.push(...validatePort(port, index(child(path, 'ports'), position), ports.length > 1));
  return errors;
}

function validateAddress({ ip = '', hostname, nodeName }: EndpointAddress, path: string): FieldError[] {
  const errors = endpointAddressErrors(ip, child(path, 'ip'));
  if (hostname) errors.push(...isDns1123Label(hostname).map((message) => invalidValue(child(path, 'hostname'), hostname, message)));
  if (nodeName !== undefined)
    errors.push(...isDns1123Subdomain(nodeName).map((message) => invalidValue(child(path, 'nodeName'), nodeName, message)));
  return errors;
}

function validatePort({ name = '', port, protocol, appProtocol }: EndpointPort, path: string, nameRequired: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (name === '' && nameRequired) errors.push(required(child(path, 'name')));
  if (name !== '') errors.push(...isDns1123Label(name).map((message) => invalidValue(child(path, 'name'), name, message)));
  errors.push(...isValidPortNum(port ?? 0).map((message) => invalidValue(child(path, 'port'), port ?? 0, message)));
  errors.push(...oneOf(protocol, ['SCTP', 'TCP', 'UDP'], child(path, 'protocol')));
  if (appProtocol !== undefined)
    errors.push(...isQualifiedName(appProtocol).map((message) => invalidValue(child(path, 'appProtocol'), appProtocol, message)));
  return errors;
}

function endpointsCell({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${isIPv6(ip) ? `[${ip}]` : ip}:${port}`)),
  );
  return firstOf(all, 3) || '<none>';
}
