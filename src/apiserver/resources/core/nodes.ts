// Nodes: registered by their kubelet, which owns status; the addresses of their pods are given once.
import type { Node, Taint } from '#api/generated/core-v1.ts';
import { nodes } from '#api/generated/resources.ts';
import { type FieldError, child, duplicate, index, invalidValue, key, notAllowed, notSupported, required } from '#api/meta/field-errors.ts';
import { isEqual, validateLabelName } from '#api/meta/meta-validation.ts';
import { isValidLabelValue } from '#api/meta/names.ts';
import type { ResourceRules } from '../resource.ts';
import { keepStatus } from '../status-ownership.ts';
import { cidrErrors, cidrFamily } from './ip-addresses.ts';
import { nodeColumns } from './node-columns.ts';
import { TAINT_EFFECTS } from './pod-spec/scheduling.ts';
import { validateResourceQuantity } from './resource-names.ts';

export const nodeRules: ResourceRules<Node> = {
  resource: nodes,
  setDefaults,
  prepareForUpdate: keepStatus,
  validate: (node) => [...validateTaints(node.spec?.taints ?? []), ...validatePodCidrs(node), ...validateAmounts(node)],
  validateUpdate(node, old) {
    const errors = [...validateAddresses(node)];
    const before = old.spec?.podCIDRs ?? [];
    if (before.length > 0 && !isEqual(before, node.spec?.podCIDRs))
      errors.push(notAllowed('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
    if (old.spec?.providerID && old.spec.providerID !== node.spec?.providerID)
      errors.push(notAllowed('spec.providerID', 'node updates may not change providerID except from "" to valid'));
    if (!isEqual(node.spec?.configSource, old.spec?.configSource) || (node.spec?.externalID ?? '') !== (old.spec?.externalID ?? ''))
      errors.push(
        notAllowed(
          '',
          'node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)',
        ),
      );
    return errors;
  },
  warnings: (node) => (node.spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
  status: { validateUpdate: (node) => [...validateAmounts(node), ...validateAddresses(node)] },
  columns: nodeColumns,
  selectableFields: (node) => ({ 'spec.unschedulable': String(node.spec?.unschedulable ?? false) }),
};

function setDefaults(node: Node): void {
  const spec = (node.spec ??= {});
  if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  if (spec.podCIDRs?.length) spec.podCIDR = spec.podCIDRs[0]!;
  const status = (node.status ??= {});
  // Until the kubelet says otherwise everything a node has is for pods.
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
}

function validateTaints(taints: readonly Taint[]): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, position) => {
    const { key: name = '', value = '', effect = '' } = taint;
    const path = index('spec.taints', position);
    const errors = validateLabelName(name, child(path, 'key'));
    const wrong = isValidLabelValue(value);
    if (wrong.length > 0) errors.push(invalidValue(child(path, 'value'), value, wrong.join(';')));
    if (effect === '') errors.push(required(child(path, 'effect')));
    else if (!TAINT_EFFECTS.includes(effect)) errors.push(notSupported(child(path, 'effect'), effect, TAINT_EFFECTS));
    if (seen.has(`${name}:${effect}`)) {
      const error = duplicate(path, taint);
      errors.push({ ...error, message: `${error.message}: taints must be unique by key and effect pair` });
    }
    seen.add(`${name}:${effect}`);
    return errors;
  });
}

function validatePodCidrs({ spec }: Node): FieldError[] {
  const cidrs = spec?.podCIDRs ?? [];
  const errors = cidrs.flatMap((cidr, position) => cidrErrors(cidr, index('spec.podCIDRs', position)));
  const families = cidrs.map(cidrFamily);
  if (errors.length === 0 && (cidrs.length > 2 || new Set(families).size < cidrs.length))
    errors.push(invalidValue('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  return errors;
}

function validateAmounts({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, amount]) =>
      validateResourceQuantity(name, amount, key(child('status', field), name)),
    ),
  );
}

function validateAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap((address, position) => {
    const text = `${address.type}=${address.address}`;
    const errors = seen.has(text) ? [duplicate(index('status.addresses', position), address)] : [];
    seen.add(text);
    return errors;
  });
}
