// What a managed node group may be asked for.
import { invalidParameter, invalidRequest, parameterNotThereYet } from '#eks/errors.ts';
import type { CreateNodegroupRequest, NodegroupScalingConfig, Taint } from '#eks/generated/types.ts';
import { checkTags } from '#eks/tags.ts';
import { instanceTypeOf } from './pods-per-node.ts';

type Subject = { clusterName: string; nodegroupName: string };

export function checkNodegroup(input: CreateNodegroupRequest & { instanceTypes: string[] }): void {
  const subject = { clusterName: input.clusterName, nodegroupName: input.nodegroupName };
  if (!/^[0-9A-Za-z][\w-]{0,62}$/.test(input.nodegroupName)) {
    throw invalidParameter(
      'nodegroupName must have at most 63 letters, digits, hyphens and underscores and start with a letter or digit',
      subject,
    );
  }
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(input.nodeRole)) throw invalidParameter('The provided nodeRole is invalid', subject);
  if (input.subnets.length === 0) throw invalidParameter('subnets must not be empty', subject);
  checkTags(input.tags, (message) => invalidParameter(message, subject));
  checkScaling({ minSize: 1, maxSize: 2, desiredSize: 2, ...input.scalingConfig }, subject);
  checkInstanceTypes(input.instanceTypes, subject);
  checkLabels(input.labels, subject);
  checkTaints(input.taints, subject);
  checkUpdateConfig(input, subject);
  if (input.diskSize !== undefined && input.diskSize < 1) throw invalidParameter('diskSize must be at least 1', subject);
  refuseUnsupported(input, subject);
}

export function checkScaling(scaling: Required<NodegroupScalingConfig>, subject: Subject): void {
  const { minSize, maxSize, desiredSize } = scaling;
  if (minSize > desiredSize)
    throw invalidParameter(`Minimum capacity ${minSize} can't be greater than desired size ${desiredSize}`, subject);
  if (desiredSize > maxSize) throw invalidParameter(`desired capacity ${desiredSize} can't be greater than max size ${maxSize}`, subject);
}

function checkInstanceTypes(names: string[], subject: Subject): void {
  const unknown = names.filter((name) => instanceTypeOf(name) === undefined);
  if (unknown.length > 0) throw invalidParameter(`The following supplied instance types do not exist: [${unknown.join(', ')}]`, subject);
  if (names.length > 20) throw invalidParameter('instanceTypes may have at most 20 entries', subject);
  const vague = names.filter((name) => instanceTypeOf(name)!.cpus === 0);
  if (vague.length > 0) throw parameterNotThereYet(`instance type ${vague.join(', ')}`, subject);
  if (new Set(names.map((name) => instanceTypeOf(name)!.architecture)).size > 1) {
    throw invalidParameter('instanceTypes must all have the same architecture', subject);
  }
}

export function architectureOf(names: readonly string[]): 'amd64' | 'arm64' {
  return instanceTypeOf(names[0]!)!.architecture;
}

const labelName = /^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)$/;

export function checkLabels(labels: Record<string, string> | undefined, subject: Subject): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const [name, prefix] = key.split('/').reverse();
    if (prefix !== undefined && /(^|\.)(kubernetes\.io|k8s\.io)$|^eks\.amazonaws\.com$/.test(prefix)) {
      throw invalidRequest('Label cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]', subject);
    }
    if (!labelName.test(name!) || key.split('/').length > 2) throw invalidParameter(`Invalid label key: ${key}`, subject);
    if (value !== '' && !labelName.test(value)) throw invalidParameter(`Invalid label value: ${value}`, subject);
  }
}

export function checkTaints(taints: Taint[] | undefined, subject: Subject): void {
  for (const taint of taints ?? []) {
    if (!taint.key || !taint.effect) throw invalidParameter('A taint must have a key and an effect', subject);
  }
  const keys = (taints ?? []).map((taint) => `${taint.key}:${taint.effect}`);
  if (new Set(keys).size < keys.length) throw invalidParameter('Taints must be unique by key and effect', subject);
  if (keys.length > 50) throw invalidParameter('A node group may have at most 50 taints', subject);
}

function checkUpdateConfig({ updateConfig }: CreateNodegroupRequest, subject: Subject): void {
  if (updateConfig?.maxUnavailable !== undefined && updateConfig.maxUnavailablePercentage !== undefined) {
    throw invalidParameter('maxUnavailable and maxUnavailablePercentage cannot be specified together', subject);
  }
}

function refuseUnsupported(input: CreateNodegroupRequest, subject: Subject): void {
  if (input.launchTemplate !== undefined) {
    if (input.diskSize !== undefined) throw invalidParameter('Disk size must be specified within the launch template.', subject);
    if (input.remoteAccess !== undefined) {
      throw invalidParameter('Remote access configuration cannot be specified with a launch template.', subject);
    }
    throw parameterNotThereYet('launchTemplate', subject);
  }
  if (input.remoteAccess !== undefined) throw parameterNotThereYet('remoteAccess', subject);
  if (input.capacityType === 'CAPACITY_BLOCK') throw parameterNotThereYet('capacityType CAPACITY_BLOCK', subject);
  if (input.nodeRepairConfig?.enabled) throw parameterNotThereYet('nodeRepairConfig', subject);
  if (input.warmPoolConfig !== undefined) throw parameterNotThereYet('warmPoolConfig', subject);
  if (input.amiType !== undefined && !/^AL2023_(x86_64|ARM_64)_STANDARD$/.test(input.amiType)) {
    throw parameterNotThereYet(`amiType ${input.amiType}`, subject);
  }
  const arm = architectureOf(input.instanceTypes!) === 'arm64';
  if (input.amiType !== undefined && input.amiType.includes('ARM') !== arm) {
    throw invalidParameter(
      `[${input.instanceTypes!.join(', ')}] is not a valid instance type for requested amiType ${input.amiType}`,
      subject,
    );
  }
}
