// What upstream warns of in pods and templates: things that work but will not do what their author hopes.
import type { Container, PodSpec, PodTemplateSpec } from '#api/generated/core-v1.ts';
import { child, index } from '#api/meta/field-errors.ts';

const NODE_LABELS: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
]);

export function templateWarnings(template: PodTemplateSpec | undefined, path: string): string[] {
  return template?.spec ? podSpecWarnings(template.spec, child(path, 'spec')) : [];
}

export function podSpecWarnings(spec: PodSpec, path: string): string[] {
  const warnings: string[] = [];
  for (const name of Object.keys(spec.nodeSelector ?? {})) {
    const text = NODE_LABELS.get(name);
    if (text !== undefined) warnings.push(`${child(path, 'nodeSelector')}[${name}]: ${text}`);
  }
  for (const [position, term] of (
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  ).entries())
    for (const [place, { key }] of (term.matchExpressions ?? []).entries()) {
      const text = NODE_LABELS.get(key);
      const terms = child(path, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms');
      if (text !== undefined)
        warnings.push(`${child(index(child(index(terms, position), 'matchExpressions'), place), 'key')}: ${key} is ${text}`);
    }
  for (const [position, { gitRepo }] of (spec.volumes ?? []).entries())
    if (gitRepo)
      warnings.push(`${child(index(child(path, 'volumes'), position), 'gitRepo')}: deprecated in v1.11, and disabled by default in v1.33+`);
  for (const [field, containers = []] of [
    ['initContainers', spec.initContainers],
    ['containers', spec.containers],
  ] as const)
    for (const [position, container] of containers.entries())
      warnings.push(...containerWarnings(container, index(child(path, field), position)));
  if (spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0)
    warnings.push(`${child(path, 'terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`);
  return warnings;
}

function containerWarnings({ env = [], ports = [] }: Container, path: string): string[] {
  const warnings: string[] = [];
  const names = new Map<string, number>();
  for (const [position, { name }] of env.entries()) {
    const first = names.get(name);
    if (first !== undefined)
      warnings.push(
        `${index(child(path, 'env'), position)}: hides previous definition of "${name}", which may be dropped when using apply`,
      );
    names.set(name, position);
  }
  const taken = new Map<string, number>();
  for (const [position, { containerPort, protocol, hostPort, hostIP = '' }] of ports.entries()) {
    const port = `${containerPort}/${protocol}/${hostIP}/${hostPort ?? 0}`;
    const first = taken.get(port);
    if (first !== undefined)
      warnings.push(`${index(child(path, 'ports'), position)}: duplicate port definition with ${index(child(path, 'ports'), first)}`);
    else taken.set(port, position);
  }
  return warnings;
}
