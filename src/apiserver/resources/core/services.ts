// Services: what the author left out is kept from the stored object where it was allocated, and dropped where the new type has no use for it.
import type { Service } from '#api/generated/core-v1.ts';
import { services } from '#api/generated/resources.ts';
import { dnsLabelName } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { serviceColumns } from './service-columns.ts';
import { dropTypeDependentFields, keepAllocatedValues, normalizeClusterIps } from './service-transitions.ts';
import { validateService } from './service-validation.ts';
import { validateServiceUpdate } from './service-update.ts';

const ROUTED_TYPES: ReadonlySet<string> = new Set(['ClusterIP', 'NodePort', 'LoadBalancer']);

export const serviceRules: ResourceRules<Service> = {
  resource: services,
  setDefaults,
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
    normalizeClusterIps(service, undefined);
  },
  prepareForUpdate(service, old) {
    keepStatus(service, old);
    normalizeClusterIps(service, old);
    keepAllocatedValues(service, old);
    dropTypeDependentFields(service, old);
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  columns: serviceColumns,
  selectableFields: (service) => ({ 'spec.clusterIP': service.spec?.clusterIP ?? '', 'spec.type': service.spec?.type ?? '' }),
  validateName: dnsLabelName,
};

function setDefaults(service: Service): void {
  const spec = (service.spec ??= {});
  service.status ??= {};
  service.status.loadBalancer ??= {};
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10_800;
  }
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  const external =
    spec.type === 'NodePort' || spec.type === 'LoadBalancer' || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);
  if (external) spec.externalTrafficPolicy ||= 'Cluster';
  if (ROUTED_TYPES.has(spec.type)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type !== 'LoadBalancer') return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of service.status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}
