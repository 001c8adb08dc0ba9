// The texts that cells of the Table form share: ages, container lists, labels and selectors as kubectl prints them.
import type { Container } from '#api/generated/core-v1.ts';
import type { LabelSelector } from '#api/generated/meta-v1.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { Column } from './resource.ts';

export const nameCell = (object: KubeObject): string => object.metadata.name ?? '';
export const ageCell: Column<KubeObject> = (object, { now }) => age(object.metadata.creationTimestamp, now);

/** How long ago a timestamp is. */
export function age(timestamp: string | undefined, now: number): string {
  if (!timestamp) return '<unknown>';
  return humanDuration((now - Date.parse(timestamp)) / 1000);
}

/** A duration in the two or three units that matter at its size, as upstream's duration.HumanDuration. */
export function humanDuration(durationSeconds: number): string {
  const seconds = Math.trunc(durationSeconds);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return pair(days, 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  return hours < 24 * 365 * 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

export const containerNames = (containers: readonly Container[] | undefined): string =>
  (containers ?? []).map(({ name }) => name).join(',');
export const containerImages = (containers: readonly Container[] | undefined): string =>
  (containers ?? []).map(({ image }) => image ?? '').join(',');

/** `a=b,c=d`, sorted; `<none>` when there are none. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels![key]}`).join(',');
}

/** The selector in kubectl's notation; `<none>` when it is empty. */
export function selectorCell(selector: LabelSelector | undefined): string {
  return selectorText(selector) || '<none>';
}

/** As above, but empty for a selector that selects everything. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (!selector) return '';
  if ((selector.matchExpressions ?? []).some(({ operator }) => !SELECTOR_OPERATORS.has(operator))) return '<error>';
  return selectorOfLabelSelector(selector).toString();
}

/** The first `max` items, and how many more there are. */
export function firstOf(items: readonly string[], max: number, separator = ','): string {
  const shown = items.slice(0, max).join(separator);
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown;
}

const SELECTOR_OPERATORS: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

const ACCESS_MODE_ABBREVIATIONS = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const;

/** `RWO,ROX`, always in the same order. */
export function accessModesCell(modes: readonly string[] | undefined): string {
  return ACCESS_MODE_ABBREVIATIONS.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}
