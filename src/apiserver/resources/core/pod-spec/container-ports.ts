// The ports of containers: numbers, names, and no host port taken twice.
import type { Container, ContainerPort } from '#api/generated/core-v1.ts';
import { type FieldError, child, duplicate, index, invalidValue, required } from '#api/meta/field-errors.ts';
import { isValidPortName, isValidPortNum } from '#api/meta/names.ts';
import { oneOf } from '../../one-of.ts';

export function validateContainerPorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [position, { name, containerPort, hostPort, protocol }] of ports.entries()) {
    const at = index(path, position);
    if (name) {
      const wrong = isValidPortName(name);
      errors.push(...wrong.map((message) => invalidValue(child(at, 'name'), name, message)));
      if (wrong.length === 0 && names.has(name)) errors.push(duplicate(child(at, 'name'), name));
      names.add(name);
    }
    if (!containerPort) errors.push(required(child(at, 'containerPort')));
    else errors.push(...validateNumber(containerPort, child(at, 'containerPort')));
    if (hostPort) errors.push(...validateNumber(hostPort, child(at, 'hostPort')));
    errors.push(...oneOf(protocol, ['SCTP', 'TCP', 'UDP'], child(at, 'protocol')));
  }
  return errors;
}

export function validateHostPortConflicts(containers: readonly Container[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [position, { ports = [] }] of containers.entries())
    for (const [place, { hostPort, hostIP = '', protocol = '' }] of ports.entries()) {
      if (!hostPort) continue;
      const port = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(port)) errors.push(duplicate(child(index(child(index(path, position), 'ports'), place), 'hostPort'), port));
      taken.add(port);
    }
  return errors;
}

const validateNumber = (port: number, path: string): FieldError[] =>
  isValidPortNum(port).map((message) => invalidValue(path, port, message));
