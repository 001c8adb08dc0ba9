// What `kubectl get services` shows.
import type { Service } from '#api/generated/core-v1.ts';
import type { Column } from '../resource.ts';
import { ageCell, labelsCell, nameCell } from '../table-cells.ts';

export const serviceColumns: readonly Column<Service>[] = [
  nameCell,
  (service) => service.spec?.type ?? '',
  (service) => service.spec?.clusterIPs?.[0] || '<none>',
  externalAddresses,
  portsCell,
  ageCell,
  (service) => labelsCell(service.spec?.selector),
];

function externalAddresses({ spec, status }: Service): string {
  const externalIps = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIps.join(',') || '<none>';
    case 'LoadBalancer': {
      const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
      return [...[...new Set(ingress)].sort(), ...externalIps].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

function portsCell({ spec }: Service): string {
  const ports = (spec?.ports ?? []).map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`);
  return ports.join(',') || '<none>';
}
