// Pods: born pending, bound to a node once, and changed hardly at all after that.
import type { Affinity, Pod, PodAffinityTerm } from '#api/generated/core-v1.ts';
import type { LabelSelector } from '#api/generated/meta-v1.ts';
import { pods } from '#api/generated/resources.ts';
import { type FieldError, notAllowed, required } from '#api/meta/field-errors.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { podColumns } from './pod-columns.ts';
import { setPodDefaults } from './pod-defaults.ts';
import { qosClassOf } from '#api/core/pod-qos.ts';
import { isPodTerminal } from '#api/core/pod-state.ts';
import { validatePodSpec } from './pod-spec/pod-spec.ts';
import { podSpecWarnings } from './pod-spec/warnings.ts';
import { keepServerStatus, validatePodStatusUpdate } from './pod-status.ts';
import { validatePodUpdate } from './pod-update.ts';

export const podRules: ResourceRules<Pod> = {
  resource: pods,
  setDefaults: setPodDefaults,
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: pod.spec ? qosClassOf(pod) : 'BestEffort' };
    if (pod.spec?.schedulingGates?.length)
      pod.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ];
    addMatchLabels(pod);
  },
  prepareForUpdate: keepStatus,
  validate,
  validateUpdate: validatePodUpdate,
  warnings: (pod) => (pod.spec ? podSpecWarnings(pod.spec, 'spec') : []),
  status: { prepareForUpdate: keepServerStatus, validateUpdate: validatePodStatusUpdate },
  columns: podColumns,
  selectableFields: (pod) => ({
    'spec.nodeName': pod.spec?.nodeName ?? '',
    'spec.restartPolicy': pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': String(pod.spec?.hostNetwork ?? false),
    'status.phase': pod.status?.phase ?? '',
    'status.podIP': pod.status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': pod.status?.nominatedNodeName ?? '',
  }),
  gracePeriodSeconds(pod, asked) {
    // Nothing runs: nobody has to be asked to stop.
    if (!pod.spec?.nodeName || isPodTerminal(pod)) return 0;
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};

function validate(pod: Pod): FieldError[] {
  if (!pod.spec) return [required('spec.containers')];
  const errors = validatePodSpec(pod.spec, 'spec');
  if (pod.spec.nodeName && pod.spec.schedulingGates?.length)
    errors.push(notAllowed('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  return errors;
}

/** `matchLabelKeys` stand for the pod's own values of these labels: they are written into the selectors once, at creation. */
function addMatchLabels(pod: Pod): void {
  const labels = pod.metadata.labels ?? {};
  for (const { matchLabelKeys = [], labelSelector } of pod.spec?.topologySpreadConstraints ?? [])
    if (labelSelector) addRequirements(labelSelector, matchLabelKeys, 'In', labels);
  for (const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } of podTermsOf(pod.spec?.affinity)) {
    if (!labelSelector) continue;
    addRequirements(labelSelector, matchLabelKeys, 'In', labels);
    addRequirements(labelSelector, mismatchLabelKeys, 'NotIn', labels);
  }
}

function addRequirements(selector: LabelSelector, keys: readonly string[], operator: string, labels: Record<string, string>): void {
  const added = keys.filter((key) => labels[key] !== undefined).map((key) => ({ key, operator, values: [labels[key]!] }));
  if (added.length > 0) selector.matchExpressions = [...(selector.matchExpressions ?? []), ...added];
}

function podTermsOf(affinity: Affinity | undefined): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((side) => [
    ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ podAffinityTerm }) => podAffinityTerm ?? []),
  ]);
}
