// What `kubectl get nodes` shows.
import type { Node } from '#api/generated/core-v1.ts';
import { conditionOf } from '#api/meta/conditions.ts';
import type { Column } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

export const nodeColumns: readonly Column<Node>[] = [
  nameCell,
  statusCell,
  rolesCell,
  ageCell,
  (node) => node.status?.nodeInfo?.kubeletVersion ?? '',
  (node) => addressOf(node, 'InternalIP'),
  (node) => addressOf(node, 'ExternalIP'),
  (node) => node.status?.nodeInfo?.osImage || '<unknown>',
  (node) => {
    const { kernelVersion, architecture } = node.status?.nodeInfo ?? {};
    return `${kernelVersion || '<unknown>'}${architecture ? ` (${architecture})` : ''}`;
  },
  (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
];

function statusCell({ spec, status }: Node): string {
  const ready = conditionOf(status?.conditions, 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

function rolesCell({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [label, value] of Object.entries(metadata.labels ?? {})) {
    if (label.startsWith(ROLE_PREFIX) && label.length > ROLE_PREFIX.length) roles.add(label.slice(ROLE_PREFIX.length));
    else if (label === ROLE_LABEL && value !== '') roles.add(value);
  }
  return [...roles].sort().join(',') || '<none>';
}

function addressOf({ status }: Node, type: string): string {
  return status?.addresses?.find((address) => address.type === type)?.address || '<none>';
}
