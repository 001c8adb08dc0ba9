// Which services are well-formed, in upstream's words and order.
import type { Service, ServicePort, ServiceSpec } from '#api/generated/core-v1.ts';
import { type FieldError, child, duplicate, index, invalidValue, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { validateLabels } from '#api/meta/meta-validation.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidPortNum } from '#api/meta/names.ts';
import { cidrErrors, ipErrors, nonSpecialIpErrors } from './ip-addresses.ts';
import { validatePortNumberOrName } from './ports.ts';
import { validateClusterIps } from './service-cluster-ips.ts';
import { isExternallyAccessible, needsHealthCheckPort } from './service-transitions.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const AFFINITIES = ['ClientIP', 'None'];
const TRAFFIC_POLICIES = ['Cluster', 'Local'];
const KUBELET_PORT = 10_250;
const MAX_AFFINITY_SECONDS = 86_400;
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";

export function validateService(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  const errors: FieldError[] = [];
  const headless = spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None';
  if (!spec.ports?.length && !headless && spec.type !== 'ExternalName') errors.push(required('spec.ports'));
  errors.push(...validateForType(spec, headless));
  const names = new Set<string>();
  for (const [position, port] of (spec.ports ?? []).entries())
    errors.push(...validatePort(port, { path: index('spec.ports', position), nameRequired: spec.ports!.length > 1, names }));
  if (spec.selector) errors.push(...validateLabels(spec.selector, 'spec.selector'));
  errors.push(...validateSessionAffinity(spec), ...validateClusterIps(spec));
  for (const [position, address] of (spec.externalIPs ?? []).entries()) {
    const path = index('spec.externalIPs', position);
    const wrong = ipErrors(address, path);
    errors.push(...(wrong.length > 0 ? wrong : nonSpecialIpErrors(address, path)));
  }
  const { type = '' } = spec;
  if (type === '') errors.push(required('spec.type'));
  else if (!TYPES.includes(type)) errors.push(notSupported('spec.type', type, TYPES));
  errors.push(...validateNodePorts(spec), ...validateDistinctPorts(spec), ...validateLoadBalancer(spec), ...validateTrafficPolicies(spec));
  return errors;
}

function validateForType(spec: ServiceSpec, headless: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.type === 'LoadBalancer')
    for (const [position, { port }] of (spec.ports ?? []).entries())
      if (port === KUBELET_PORT)
        errors.push(
          invalidValue(index('spec.ports', position), port, `may not expose port ${KUBELET_PORT} externally since it is used by kubelet`),
        );
  if ((spec.type === 'LoadBalancer' || spec.type === 'NodePort') && headless)
    errors.push(invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
  if (spec.type !== 'ExternalName') return errors;
  const fields = ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const;
  for (const field of fields) {
    const set = field === 'ipFamilyPolicy' ? spec[field] !== undefined : (spec[field]?.length ?? 0) > 0;
    if (set) errors.push(notAllowed(`spec.${field}`, 'may not be set for ExternalName services'));
  }
  // A CNAME may end with a dot.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (name === '') errors.push(required('spec.externalName'));
  else errors.push(...isDns1123Subdomain(name).map((message) => invalidValue('spec.externalName', name, message)));
  return errors;
}

function validatePort(
  port: ServicePort,
  { path, nameRequired, names }: { path: string; nameRequired: boolean; names: Set<string> },
): FieldError[] {
  const errors: FieldError[] = [];
  const { name = '', protocol = '', targetPort = 0, appProtocol } = port;
  if (name === '') {
    if (nameRequired) errors.push(required(child(path, 'name')));
  } else {
    errors.push(...isDns1123Label(name).map((message) => invalidValue(child(path, 'name'), name, message)));
    if (names.has(name)) errors.push(duplicate(child(path, 'name'), name));
    names.add(name);
  }
  errors.push(...isValidPortNum(port.port ?? 0).map((message) => invalidValue(child(path, 'port'), port.port ?? 0, message)));
  if (protocol === '') errors.push(required(child(path, 'protocol')));
  else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(child(path, 'protocol'), protocol, PROTOCOLS));
  errors.push(...validatePortNumberOrName(targetPort, child(path, 'targetPort')));
  if (appProtocol !== undefined)
    errors.push(...isQualifiedName(appProtocol).map((message) => invalidValue(child(path, 'appProtocol'), appProtocol, message)));
  return errors;
}

function validateSessionAffinity({ sessionAffinity = '', sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === '') return [required('spec.sessionAffinity')];
  if (!AFFINITIES.includes(sessionAffinity)) return [notSupported('spec.sessionAffinity', sessionAffinity, AFFINITIES)];
  if (sessionAffinity === 'None') return sessionAffinityConfig ? [notAllowed(path, 'must not be set when session affinity is None')] : [];
  const detail = 'when session affinity type is ClientIP';
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds === undefined) return [required(`${path}.clientIP.timeoutSeconds`, detail)];
  return seconds > 0 && seconds <= MAX_AFFINITY_SECONDS
    ? []
    : [invalidValue(`${path}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`)];
}

function validateNodePorts({ type, ports = [] }: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [position, { nodePort = 0, protocol = '' }] of ports.entries()) {
    if (nodePort === 0) continue;
    const path = child(index('spec.ports', position), 'nodePort');
    if (type === 'ClusterIP') errors.push(notAllowed(path, "may not be used when `type` is 'ClusterIP'"));
    if (seen.has(`${protocol}/${nodePort}`)) errors.push(duplicate(path, nodePort));
    seen.add(`${protocol}/${nodePort}`);
  }
  return errors;
}

function validateDistinctPorts({ ports = [] }: ServiceSpec): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [position, { port, protocol = '' }] of ports.entries()) {
    if (seen.has(`${protocol}/${port}`)) errors.push(duplicate(index('spec.ports', position), { port, protocol }));
    seen.add(`${protocol}/${port}`);
  }
  return errors;
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const balanced = spec.type === 'LoadBalancer';
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0 && !balanced) errors.push(notAllowed('spec.loadBalancerSourceRanges', ONLY_LOAD_BALANCER));
  for (const [position, range] of ranges.entries())
    errors.push(...cidrErrors(range.trim(), index('spec.loadBalancerSourceRanges', position)));
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced)
    errors.push(notAllowed('spec.allocateLoadBalancerNodePorts', ONLY_LOAD_BALANCER));
  if (spec.allocateLoadBalancerNodePorts === undefined && balanced) errors.push(required('spec.allocateLoadBalancerNodePorts'));
  if (spec.loadBalancerClass !== undefined) {
    if (!balanced) errors.push(notAllowed('spec.loadBalancerClass', ONLY_LOAD_BALANCER));
    else
      errors.push(
        ...isQualifiedName(spec.loadBalancerClass).map((message) =>
          invalidValue('spec.loadBalancerClass', spec.loadBalancerClass, message),
        ),
      );
  }
  return errors;
}

function validateTrafficPolicies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { externalTrafficPolicy = '', internalTrafficPolicy, healthCheckNodePort = 0, trafficDistribution } = spec;
  if (!isExternallyAccessible(spec)) {
    if (externalTrafficPolicy !== '')
      errors.push(invalidValue('spec.externalTrafficPolicy', externalTrafficPolicy, 'may only be set for externally-accessible services'));
  } else if (!TRAFFIC_POLICIES.includes(externalTrafficPolicy))
    errors.push(
      externalTrafficPolicy === ''
        ? required('spec.externalTrafficPolicy')
        : notSupported('spec.externalTrafficPolicy', externalTrafficPolicy, TRAFFIC_POLICIES),
    );
  if (healthCheckNodePort !== 0) {
    const path = 'spec.healthCheckNodePort';
    if (needsHealthCheckPort(spec))
      errors.push(...isValidPortNum(healthCheckNodePort).map((message) => invalidValue(path, healthCheckNodePort, message)));
    else
      errors.push(
        invalidValue(path, healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"),
      );
  }
  if (internalTrafficPolicy !== undefined && !TRAFFIC_POLICIES.includes(internalTrafficPolicy))
    errors.push(notSupported('spec.internalTrafficPolicy', internalTrafficPolicy, TRAFFIC_POLICIES));
  const distributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution))
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, distributions));
  return errors;
}
