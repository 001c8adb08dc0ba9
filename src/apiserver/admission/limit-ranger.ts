// LimitRanger: what pods do not ask for they get from the namespace's limit ranges; pods and claims outside of their bounds are refused.
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '#api/generated/core-v1.ts';
import { limitranges, persistentvolumeclaims, pods } from '#api/generated/resources.ts';
import { approximateValueOf, canonicalQuantity, compareQuantities, formatQuantity } from '#api/meta/quantity.ts';
import type { QuantityMap } from '#api/core/quantities.ts';
import { addQuantityMaps, maxQuantityMaps } from '#api/core/quantities.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isFor, refuse } from './plugin.ts';

const annotation = 'kubernetes.io/limit-ranger';

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  operations: ['CREATE', 'UPDATE'],
  mutate(request, { view }) {
    if (request.operation !== 'CREATE' || !isFor(request, pods)) return;
    for (const range of view.cachedList(limitranges, request.namespace)) applyDefaults(range, request.object as Pod);
  },
  validate(request, { view }) {
    const amounts = amountsOf(request);
    if (amounts === undefined) return;
    const found = view
      .cachedList(limitranges, request.namespace)
      .flatMap((range) => (range.spec?.limits ?? []).flatMap((item) => amounts(item).flatMap((one) => violations(item, one))));
    const errors = [...new Set(found)];
    if (errors.length > 0) throw refuse(request, errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]`);
  },
};

/** The amounts that a bound of a type is about; undefined where nothing is bounded. */
function amountsOf(request: AdmissionRequest): ((item: LimitRangeItem) => Asked[]) | undefined {
  if (request.old?.metadata.deletionTimestamp !== undefined) return undefined;
  // What a pod asks for is settled when it is made.
  if (isFor(request, pods) && request.operation === 'CREATE') return ({ type }) => askedByPod(request.object as Pod, type);
  if (!isFor(request, persistentvolumeclaims)) return undefined;
  const { spec } = request.object as PersistentVolumeClaim;
  return ({ type }) => (type === 'PersistentVolumeClaim' ? [{ requests: spec?.resources?.requests ?? {}, limits: undefined }] : []);
}

interface Asked {
  requests: QuantityMap;
  /** Undefined: it has none, only requests count. */
  limits: QuantityMap | undefined;
}

function askedByPod({ spec }: Pod, type: string): Asked[] {
  const containers = spec.containers ?? [];
  const initContainers = spec.initContainers ?? [];
  const of = (container: Container): Asked => ({
    requests: container.resources?.requests ?? {},
    limits: container.resources?.limits ?? {},
  });
  if (type === 'Container') return [...containers, ...initContainers].map(of);
  if (type !== 'Pod') return [];
  const sum = (part: 'requests' | 'limits'): QuantityMap => {
    const running = containers.reduce<QuantityMap>((total, container) => addQuantityMaps(total, of(container)[part]!), {});
    const whole = initContainers.reduce<QuantityMap>((most, container) => maxQuantityMaps(most, of(container)[part]!), running);
    return { ...whole, ...spec.resources?.[part] };
  };
  return [{ requests: sum('requests'), limits: sum('limits') }];
}

function violations(item: LimitRangeItem, asked: Asked): string[] {
  const each = (bounds: Readonly<Record<string, string>> | undefined, check: (name: string, bound: string) => string[]): string[] =>
    Object.keys(bounds ?? {})
      .sort()
      .flatMap((name) => check(name, bounds![name]!));
  return [
    ...each(item.min, (name, bound) => belowMinimum(item.type, name, bound, asked)),
    ...each(item.max, (name, bound) => aboveMaximum(item.type, name, bound, asked)),
    ...(asked.limits ? each(item.maxLimitRequestRatio, (name, bound) => aboveRatio(item.type, name, bound, asked)) : []),
  ];
}

function belowMinimum(type: string, name: string, bound: string, { requests, limits }: Asked): string[] {
  const text = `minimum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  const [request, limit] = [requests[name], limits?.[name]];
  if (request === undefined) return [`${text}.  No request is specified`];
  if (compareQuantities(request, bound) < 0) return [`${text}, but request is ${shown(request)}`];
  return limit !== undefined && compareQuantities(limit, bound) < 0 ? [`${text}, but limit is ${shown(limit)}`] : [];
}

function aboveMaximum(type: string, name: string, bound: string, { requests, limits }: Asked): string[] {
  const text = `maximum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  const [request, limit] = [requests[name], limits?.[name]];
  if (limits !== undefined) {
    if (limit === undefined) return [`${text}.  No limit is specified`];
    if (compareQuantities(limit, bound) > 0) return [`${text}, but limit is ${shown(limit)}`];
  } else if (request === undefined) return [`${text}.  No request is specified`];
  return request !== undefined && compareQuantities(request, bound) > 0 ? [`${text}, but request is ${shown(request)}`] : [];
}

function aboveRatio(type: string, name: string, bound: string, { requests, limits }: Asked): string[] {
  const text = `${name} max limit to request ratio per ${type} is ${canonicalQuantity(bound)}`;
  const [request, limit] = [approximateValueOf(requests[name]), approximateValueOf(limits?.[name])];
  if (request === 0) return [`${text}, but no request is specified or request is 0`];
  if (limit === 0) return [`${text}, but no limit is specified or limit is 0`];
  const ratio = limit / request;
  return ratio > approximateValueOf(bound) ? [`${text}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}

const shown = (amount: QuantityMap[string]): string => (typeof amount === 'string' ? canonicalQuantity(amount) : formatQuantity(amount));

function applyDefaults({ spec }: LimitRange, pod: Pod): void {
  const items = (spec?.limits ?? []).filter(({ type }) => type === 'Container');
  const limits = Object.assign({}, ...items.map((item) => item.default)) as Record<string, string>;
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest)) as Record<string, string>;
  const notes = [
    ...(pod.spec.containers ?? []).flatMap((container) => fill(container, 'container', limits, requests)),
    ...(pod.spec.initContainers ?? []).flatMap((container) => fill(container, 'init container', limits, requests)),
  ];
  if (notes.length === 0) return;
  const metadata = pod.metadata;
  metadata.annotations = { ...metadata.annotations, [annotation]: `LimitRanger plugin set: ${notes.join('; ')}` };
}

/** Answers what was set, in words. */
function fill(container: Container, what: string, limits: Record<string, string>, requests: Record<string, string>): string[] {
  const own = (container.resources ??= {});
  const set = (part: 'requests' | 'limits', defaults: Record<string, string>): string[] => {
    const absent = Object.keys(defaults).filter((name) => own[part]?.[name] === undefined);
    if (absent.length === 0) return [];
    own[part] = { ...Object.fromEntries(absent.map((name) => [name, defaults[name]!])), ...own[part] };
    return [`${absent.sort().join(', ')} ${part === 'requests' ? 'request' : 'limit'} for ${what} ${container.name}`];
  };
  return [...set('requests', requests), ...set('limits', limits)];
}
