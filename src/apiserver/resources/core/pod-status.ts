// How a pod's status may change: what the server said stays, and what ended for good does not come back.
import type { ContainerStatus, Pod, PodSpec } from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, notAllowed } from '#api/meta/field-errors.ts';
import { validateImmutableField } from '#api/meta/meta-validation.ts';
import { isDns1123Subdomain, isQualifiedName } from '#api/meta/names.ts';
import { ipErrors, ipFamily } from './ip-addresses.ts';

const NOT_BACK = 'may not be transitioned to non-terminated state';

export function keepServerStatus(pod: Pod, old: Pod): void {
  if (old.spec) pod.spec = old.spec;
  // Old kubelets write owner references back without what they do not know.
  if (old.metadata.ownerReferences) pod.metadata.ownerReferences = old.metadata.ownerReferences;
  else delete pod.metadata.ownerReferences;
  pod.status ??= {};
  if (old.status?.qosClass) pod.status.qosClass ||= old.status.qosClass;
}

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const status = pod.status ?? {};
  const errors: FieldError[] = [];
  for (const [position, { type }] of (status.conditions ?? []).entries())
    errors.push(
      ...isQualifiedName(type ?? '').map((message) => invalidValue(child(index('status.conditions', position), 'Type'), type, message)),
    );
  const nominated = status.nominatedNodeName;
  if (nominated && nominated !== old.status?.nominatedNodeName)
    errors.push(...isDns1123Subdomain(nominated).map((message) => invalidValue('status.nominatedNodeName', nominated, message)));
  errors.push(...validateImmutableField(status.qosClass ?? '', old.status?.qosClass ?? '', 'status.qosClass'));
  errors.push(...validateContainers(status.containerStatuses, old.status?.containerStatuses, old.spec));
  errors.push(...validateInitContainers(status.initContainerStatuses, old.status?.initContainerStatuses, old.spec));
  return [...errors, ...validateAddresses(pod)];
}

type Statuses = readonly ContainerStatus[] | undefined;

function validateContainers(statuses: Statuses, old: Statuses, spec: PodSpec | undefined): FieldError[] {
  return (old ?? []).flatMap((before, position) => {
    const policy = spec?.containers.find(({ name }) => name === before.name)?.restartPolicy ?? spec?.restartPolicy;
    const hasRules = spec?.containers.some(({ name, restartPolicyRules }) => name === before.name && restartPolicyRules?.length);
    if (policy === 'Always' || hasRules) return [];
    return revived(before, statuses, policy === 'OnFailure') ? [notAllowed(stateOf('containerStatuses', position), NOT_BACK)] : [];
  });
}

function validateInitContainers(statuses: Statuses, old: Statuses, spec: PodSpec | undefined): FieldError[] {
  return (old ?? []).flatMap((before, position) => {
    const container = spec?.initContainers?.find(({ name }) => name === before.name);
    // A sidecar starts again whatever the pod's policy; a failed init container does unless it is never.
    if (container?.restartPolicy === 'Always') return [];
    const retried = (container?.restartPolicy ?? spec?.restartPolicy) !== 'Never';
    // When the sandbox is made anew, init containers run again, too.
    if (spec?.restartPolicy === 'Always') return [];
    return revived(before, statuses, retried) ? [notAllowed(stateOf('initContainerStatuses', position), NOT_BACK)] : [];
  });
}

function revived(before: ContainerStatus, statuses: Statuses, failedMayReturn: boolean): boolean {
  const ended = before.state?.terminated;
  if (!ended || (failedMayReturn && ended.exitCode !== 0)) return false;
  const now = statuses?.find(({ name }) => name === before.name);
  return now !== undefined && !now.state?.terminated;
}

const stateOf = (field: string, position: number): string => child(index(child('status', field), position), 'state');

function validateAddresses({ status }: Pod): FieldError[] {
  const addresses = (status?.podIPs ?? []).map(({ ip = '' }) => ip);
  const errors = addresses.flatMap((address, position) => ipErrors(address, index('status.podIPs', position)));
  const families = addresses.map(ipFamily);
  if (errors.length === 0 && new Set(families).size < families.length)
    errors.push(invalidValue('status.podIPs', addresses, 'may specify no more than one IP for each IP family'));
  return errors;
}
