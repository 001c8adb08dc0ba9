// Leases: durations and counts that make sense.
import type { Lease } from '#api/generated/coordination-v1.ts';
import { leases } from '#api/generated/resources.ts';
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

export const leaseRules: ResourceRules<Lease> = {
  resource: leases,
  setDefaults(lease) {
    lease.spec ??= {};
  },
  prepareForCreate: dropCandidateFields,
  prepareForUpdate: dropCandidateFields,
  validate(lease) {
    const { leaseDurationSeconds, leaseTransitions } = lease.spec ?? {};
    const errors: FieldError[] = [];
    if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
      errors.push(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
    if (leaseTransitions !== undefined && leaseTransitions < 0)
      errors.push(invalidValue('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
    return errors;
  },
  columns: [nameCell, (lease) => lease.spec?.holderIdentity ?? '', ageCell],
};

/** Both belong to coordinated leader election, a gate that is off by default: upstream drops them too. */
function dropCandidateFields(lease: Lease): void {
  delete lease.spec?.strategy;
  delete lease.spec?.preferredHolder;
}
