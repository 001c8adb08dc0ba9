// Services against quotas: each counts, and so do the ports of nodes and the load balancers that it takes.
import type { Service } from '#api/generated/core-v1.ts';
import type { QuotaEvaluator } from './evaluator.ts';

const names: ReadonlySet<string> = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers']);

export const serviceEvaluator: QuotaEvaluator<Service> = {
  onUpdate: true,
  counts: (name) => names.has(name),
  usageOf({ spec }) {
    const ports = spec.ports ?? [];
    const nodePorts =
      spec.type === 'NodePort'
        ? ports.length
        : spec.type !== 'LoadBalancer'
          ? 0
          : spec.allocateLoadBalancerNodePorts === false
            ? ports.filter(({ nodePort }) => nodePort).length
            : ports.length;
    return {
      'count/services': '1',
      services: '1',
      'services.nodeports': String(nodePorts),
      'services.loadbalancers': spec.type === 'LoadBalancer' ? '1' : '0',
    };
  },
};
