// Which pod specs are well-formed: every part is checked in upstream's order, and everything found is reported together.
import type { PodSpec } from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, notAllowed, required } from '#api/meta/field-errors.ts';
import { isDns1123Label, isDns1123Subdomain } from '#api/meta/names.ts';
import { validateLabels } from '#api/meta/meta-validation.ts';
import { oneOf } from '../../one-of.ts';
import { validateAffinity } from './affinity.ts';
import { validateContainers, validateInitContainers } from './containers.ts';
import { validateDns, validateHostAliases } from './dns.ts';
import { validateOverhead, validatePodResources } from './resources.ts';
import { validateReadinessGates, validateSchedulingGates, validateTolerations, validateTopologySpread } from './scheduling.ts';
import { validatePodSecurity } from './security.ts';
import { validateVolumes } from './volumes.ts';

const MAX_INT32 = 2_147_483_647;
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];

export function validatePodSpec(spec: PodSpec, path: string): FieldError[] {
  const at = (field: string) => child(path, field);
  const context = { volumes: spec.volumes ?? [], graceSeconds: spec.terminationGracePeriodSeconds ?? 0, hostUsers: spec.hostUsers ?? true };
  return [
    ...validateVolumes(spec.volumes ?? [], at('volumes')),
    ...validateContainers(spec.containers ?? [], context, at('containers')),
    ...validateInitContainers(spec.initContainers ?? [], spec.containers ?? [], context, at('initContainers')),
    ...validatePodResources(spec, at('resources')),
    ...oneOf(spec.restartPolicy, RESTART_POLICIES, at('restartPolicy')),
    ...oneOf(spec.dnsPolicy, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'], at('dnsPolicy')),
    ...validateLabels(spec.nodeSelector, at('nodeSelector')),
    ...validatePodSecurity(spec, path),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }, position) =>
      name ? [] : [required(child(index(at('imagePullSecrets'), position), 'name'))],
    ),
    ...validateAffinity(spec.affinity, at('affinity')),
    ...validateDns(spec, at('dnsConfig')),
    ...validateReadinessGates(spec.readinessGates ?? [], at('readinessGates')),
    ...validateSchedulingGates(spec.schedulingGates ?? [], at('schedulingGates')),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], at('topologySpreadConstraints')),
    ...validateIdentity(spec, path),
    ...validateTolerations(spec.tolerations ?? [], at('tolerations')),
    ...validateHostAliases(spec.hostAliases ?? [], at('hostAliases')),
    ...named(spec.priorityClassName, isDns1123Subdomain, at('priorityClassName')),
    ...named(spec.runtimeClassName, isDns1123Subdomain, at('runtimeClassName')),
    ...(spec.preemptionPolicy === undefined ? [] : oneOf(spec.preemptionPolicy, PREEMPTION_POLICIES, at('preemptionPolicy'))),
    ...validateOverhead(spec.overhead, at('overhead')),
    ...(spec.os ? oneOf(spec.os.name, ['linux', 'windows'], child(path, 'os', 'name')) : []),
  ];
}

/** Who the pod runs as, where, how long, and what it is called. */
function validateIdentity(spec: PodSpec, path: string): FieldError[] {
  const at = (field: string) => child(path, field);
  const errors = [
    ...named(spec.serviceAccountName, isDns1123Subdomain, at('serviceAccountName')),
    ...named(spec.nodeName, isDns1123Subdomain, at('nodeName')),
  ];
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > MAX_INT32))
    errors.push(invalidValue(at('activeDeadlineSeconds'), deadline, `must be between 1 and ${MAX_INT32}, inclusive`));
  errors.push(...named(spec.hostname, isDns1123Label, at('hostname')), ...named(spec.subdomain, isDns1123Label, at('subdomain')));
  if (spec.hostnameOverride === undefined) return errors;
  const override = at('hostnameOverride');
  errors.push(...isDns1123Subdomain(spec.hostnameOverride).map((message) => invalidValue(override, spec.hostnameOverride, message)));
  if (spec.hostnameOverride.length > 64) errors.push(invalidValue(override, spec.hostnameOverride, 'must be no more than 64 characters'));
  if (spec.hostNetwork) errors.push(notAllowed(override, 'may not be specified when hostNetwork is true'));
  return errors;
}

function named(value: string | undefined, check: (text: string) => string[], path: string): FieldError[] {
  return value ? check(value).map((message) => invalidValue(path, value, message)) : [];
}
