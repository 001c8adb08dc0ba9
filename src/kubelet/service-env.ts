// The variables by which containers find services: `{NAME}_SERVICE_HOST`, `{NAME}_SERVICE_PORT` and the older link variables.
import type { Pod, Service } from '#api/generated/core-v1.ts';
import type { ServiceLister } from './context.ts';

const masterNamespace = 'default';
const masterService = 'kubernetes';

/** The API server's service is always told; the namespace's own services unless enableServiceLinks is off. */
export function serviceVariables(pod: Pod, services: ServiceLister): Map<string, string> {
  const variables = new Map<string, string>();
  const namespace = pod.metadata.namespace ?? '';
  const found = new Map<string, Service>();
  for (const service of services(masterNamespace)) if (service.metadata.name === masterService) found.set(masterService, service);
  if (pod.spec.enableServiceLinks !== false) for (const service of services(namespace)) found.set(service.metadata.name!, service);
  for (const service of found.values()) addService(variables, service);
  return variables;
}

function addService(variables: Map<string, string>, service: Service): void {
  const host = service.spec?.clusterIP;
  const ports = service.spec?.ports ?? [];
  const first = ports[0];
  if (!host || host === 'None' || first === undefined) return;
  const name = upper(service.metadata.name!);
  variables.set(`${name}_SERVICE_HOST`, host);
  variables.set(`${name}_SERVICE_PORT`, String(first.port));
  for (const port of ports) if (port.name) variables.set(`${name}_SERVICE_PORT_${upper(port.name)}`, String(port.port));
  const bracketed = host.includes(':') ? `[${host}]` : host;
  for (const port of ports) {
    const protocol = port.protocol ?? 'TCP';
    const url = `${protocol.toLowerCase()}://${bracketed}:${port.port}`;
    if (port === first) variables.set(`${name}_PORT`, url);
    const prefix = `${name}_PORT_${port.port}_${protocol}`;
    variables.set(prefix, url);
    variables.set(`${prefix}_PROTO`, protocol.toLowerCase());
    variables.set(`${prefix}_PORT`, String(port.port));
    variables.set(`${prefix}_ADDR`, host);
  }
}

function upper(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
