// How each kind is counted: pods, services and claims by what they take, everything else by number.
import { claimEvaluator } from './claims.ts';
import type { QuotaEvaluator } from './evaluator.ts';
import { podEvaluator } from './pods.ts';
import { serviceEvaluator } from './services.ts';

const byKind: Readonly<Record<string, QuotaEvaluator>> = {
  '/pods': podEvaluator as QuotaEvaluator,
  '/services': serviceEvaluator as QuotaEvaluator,
  '/persistentvolumeclaims': claimEvaluator as QuotaEvaluator,
};
/** Kinds that quotas knew by a name of their own before all could be counted. */
const plainNames: ReadonlySet<string> = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']);

export function evaluatorOf({ group, plural }: { group: string; plural: string }): QuotaEvaluator {
  const own = byKind[`${group}/${plural}`];
  if (own !== undefined) return own;
  // `count/deployments.apps`
  const count = `count/${plural}${group === '' ? '' : `.${group}`}`;
  const names = group === '' && plainNames.has(plural) ? [count, plural] : [count];
  return { counts: (name) => names.includes(name), usageOf: () => Object.fromEntries(names.map((name) => [name, '1'])) };
}
