// What a pod's failure means to its Job: the first rule that matches decides; without one it counts.
import type { Job, PodFailurePolicyRule } from '#api/generated/batch-v1.ts';
import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';

export interface Verdict {
  action: 'Count' | 'Ignore' | 'FailIndex' | 'FailJob';
  /** Why the whole Job fails. */
  message?: string;
}

export function judgeFailure({ spec }: Job, pod: Pod): Verdict {
  // What is only on its way out has not said yet how it ended.
  if (pod.status?.phase !== 'Failed') return { action: 'Count' };
  for (const [position, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const found = matchOf(rule, pod);
    if (found === undefined) continue;
    const action = rule.action as Verdict['action'];
    return action === 'FailJob' ? { action, message: `${found} matching ${action} rule at index ${position}` } : { action };
  }
  return { action: 'Count' };
}

function matchOf(rule: PodFailurePolicyRule, { metadata, status }: Pod): string | undefined {
  const pod = `${metadata.namespace}/${metadata.name}`;
  if (rule.onExitCodes) {
    const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    const container = statuses.find((one) => exitMatches(rule.onExitCodes!, one));
    return container && `Container ${container.name} for pod ${pod} failed with exit code ${container.state!.terminated!.exitCode}`;
  }
  const pattern = rule.onPodConditions?.find(({ type, status: wanted }) =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === wanted),
  );
  return pattern && `Pod ${pod} has condition ${pattern.type}`;
}

function exitMatches(
  { containerName, operator, values }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  status: ContainerStatus,
): boolean {
  const exitCode = status.state?.terminated?.exitCode;
  // Containers that ended well are never meant.
  if (exitCode === undefined || exitCode === 0 || (containerName !== undefined && containerName !== status.name)) return false;
  return values.includes(exitCode) === (operator === 'In');
}
