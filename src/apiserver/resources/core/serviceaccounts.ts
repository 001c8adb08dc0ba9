// Service accounts: of the secrets they name only the names are kept.
import type { ServiceAccount } from '#api/generated/core-v1.ts';
import { serviceaccounts } from '#api/generated/resources.ts';
import type { ResourceRules } from '../resource.ts';
import { ageCell, nameCell } from '../table-cells.ts';

export const serviceAccountRules: ResourceRules<ServiceAccount> = {
  resource: serviceaccounts,
  prepareForCreate: keepSecretNames,
  prepareForUpdate: keepSecretNames,
  warnings: (account) =>
    account.metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] === undefined
      ? []
      : [
          'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
        ],
  columns: [nameCell, ageCell],
};

function keepSecretNames(account: ServiceAccount): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => ({ ...(name !== undefined && { name }) }));
}
