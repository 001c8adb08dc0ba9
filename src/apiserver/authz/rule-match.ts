// What one RBAC rule allows; and how upstream writes it down in messages.
import type { AccessAttributes } from '#api/meta/access.ts';
import type { PolicyRule } from '#api/generated/rbac-v1.ts';

const all = '*';

export function ruleAllows(rule: PolicyRule, attributes: AccessAttributes): boolean {
  if (!matches(rule.verbs, attributes.verb)) return false;
  if (!attributes.isResourceRequest) return nonResourceMatches(rule.nonResourceURLs, attributes.path);
  return (
    matches(rule.apiGroups, attributes.group) &&
    resourceMatches(rule.resources, attributes.resource, attributes.subresource) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(attributes.name))
  );
}

function matches(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes(value) || list.includes(all));
}

function resourceMatches(resources: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (!resources) return false;
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some((entry) => entry === all || entry === combined || (subresource !== '' && entry === `*/${subresource}`));
}

function nonResourceMatches(urls: readonly string[] | undefined, path: string): boolean {
  return urls?.some((url) => url === all || url === path || (url.endsWith(all) && path.startsWith(url.slice(0, -1)))) ?? false;
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}` */
export function describeRule(rule: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  return `{${parts.flatMap(([name, list]) => (list?.length ? [`${name}:${quoteList(list)}`] : [])).join(', ')}}`;
}

/** Go's %q of a list of strings. */
export function quoteList(list: readonly string[]): string {
  return `[${list.map((item) => JSON.stringify(item)).join(' ')}]`;
}
