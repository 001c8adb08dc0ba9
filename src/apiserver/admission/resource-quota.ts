// ResourceQuota: charges what a write adds to its namespace's quotas before it is made, and refuses what is more than they allow.
// Every charge is a write of the quota at the revision that it was derived from: of two requests for the last piece one is refused.
import type { ResourceQuota } from '#api/generated/core-v1.ts';
import { namespaces, resourcequotas } from '#api/generated/resources.ts';
import { addQuantityMaps, subtractQuantityMaps } from '#api/core/quantities.ts';
import type { QuantityMap } from '#api/core/quantities.ts';
import { compareQuantities, formatQuantity, isZeroQuantity, parseQuantity } from '#api/meta/quantity.ts';
import type { QuotaEvaluator } from '#api/quota/evaluator.ts';
import { evaluatorOf } from '#api/quota/evaluators.ts';
import { namesCounted } from '#api/quota/match.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isFor, refuse } from './plugin.ts';

/** Writes a quota's status; `change` is asked again when the quota changed meanwhile, and refuses by throwing. */
export type ChargeQuota = (quota: ResourceQuota, change: (current: ResourceQuota) => ResourceQuota) => Promise<void>;

export function resourceQuotaAdmission(charge: ChargeQuota): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    operations: ['CREATE', 'UPDATE'],
    validate(request, context) {
      if (request.subresource !== '' || request.namespace === '' || isFor(request, namespaces)) return undefined;
      const quotas = context.view.cachedList(resourcequotas, request.namespace);
      return quotas.length === 0 ? undefined : chargeAll(request, context, quotas, charge);
    },
  };
}

async function chargeAll(
  request: AdmissionRequest,
  { clock }: AdmissionContext,
  quotas: readonly ResourceQuota[],
  charge: ChargeQuota,
): Promise<void> {
  const evaluator = evaluatorOf(request.resource.type);
  if (request.operation === 'UPDATE' && !evaluator.onUpdate) return;
  const concerned = quotas.filter((quota) => isConcerned(request, evaluator, quota));
  if (concerned.length === 0) return;
  const usage = evaluator.usageOf(request.object!, clock.now());
  const added = withoutZeros(request.old === undefined ? usage : subtractQuantityMaps(usage, evaluator.usageOf(request.old, clock.now())));
  if (Object.keys(added).length === 0) return;
  // All are asked before any is charged, so that a refusal leaves no trace.
  for (const quota of concerned) charged(request, quota, added);
  if (request.dryRun) return;
  for (const quota of concerned) await charge(quota, (current) => charged(request, current, added));
}

function isConcerned(request: AdmissionRequest, evaluator: QuotaEvaluator, quota: ResourceQuota): boolean {
  const names = namesCounted(quota, quota.status?.hard, evaluator, request.object!);
  if (names === undefined) return false;
  const refusal = evaluator.refusal?.(request.object!, names);
  if (refusal !== undefined) throw refuse(request, `failed quota: ${quota.metadata.name}: ${refusal}`);
  const unknown = names.filter((name) => quota.status?.used?.[name] === undefined);
  if (unknown.length === 0) return true;
  throw refuse(request, `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.sort().join(',')}`);
}

/** The quota with the charge on it. Throws where that is more than it allows. */
function charged(request: AdmissionRequest, quota: ResourceQuota, added: QuantityMap): ResourceQuota {
  const { hard = {}, used = {} } = quota.status ?? {};
  const own = pick(added, Object.keys(hard));
  const sum = addQuantityMaps(used, own);
  const exceeded = Object.keys(own).filter(
    (name) => compareQuantities(own[name]!, '0') > 0 && compareQuantities(sum[name]!, hard[name]!) > 0,
  );
  if (exceeded.length > 0) {
    const [requested, before, limited] = [own, used, hard].map((amounts) => inWords(pick(amounts, exceeded)));
    throw refuse(request, `exceeded quota: ${quota.metadata.name}, requested: ${requested}, used: ${before}, limited: ${limited}`);
  }
  return { ...quota, status: { ...quota.status, used: asText(sum) } };
}

function withoutZeros(amounts: QuantityMap): QuantityMap {
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => !isZeroQuantity(amount)));
}

function pick(amounts: QuantityMap, names: readonly string[]): QuantityMap {
  return Object.fromEntries(names.flatMap((name) => (amounts[name] === undefined ? [] : [[name, amounts[name]]])));
}

function asText(amounts: QuantityMap): Record<string, string> {
  const text = (amount: QuantityMap[string]) => formatQuantity(typeof amount === 'string' ? parseQuantity(amount) : amount);
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, text(amount)]));
}

/** `cpu=2,pods=1` */
function inWords(amounts: QuantityMap): string {
  const texts = asText(amounts);
  return Object.keys(texts)
    .sort()
    .map((name) => `${name}=${texts[name]}`)
    .join(',');
}
