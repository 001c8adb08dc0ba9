// Names and name servers of a pod.
import type { HostAlias, PodSpec } from '#api/generated/core-v1.ts';
import { type FieldError, child, index, invalidValue, required } from '#api/meta/field-errors.ts';
import { isDns1123Subdomain } from '#api/meta/names.ts';
import { ipErrors } from '../ip-addresses.ts';

const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;

export function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  const servers = child(path, 'nameservers');
  if (dnsPolicy === 'None' && nameservers.length === 0)
    errors.push(required(dnsConfig ? servers : path, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
  if (!dnsConfig) return errors;
  if (nameservers.length > MAX_NAMESERVERS)
    errors.push(invalidValue(servers, nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`));
  for (const [position, server] of nameservers.entries()) errors.push(...ipErrors(server, index(servers, position)));
  const at = child(path, 'searches');
  if (searches.length > MAX_SEARCHES) errors.push(invalidValue(at, searches, `must not have more than ${MAX_SEARCHES} search paths`));
  if (searches.join(' ').length > MAX_SEARCH_CHARACTERS)
    errors.push(
      invalidValue(at, searches, `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`),
    );
  for (const [position, search] of searches.entries()) errors.push(...validateSearch(search, index(at, position)));
  for (const [position, { name }] of options.entries())
    if (!name) errors.push(required(index(child(path, 'options'), position), 'must not be empty'));
  return errors;
}

export function validateHostAliases(aliases: readonly HostAlias[], path: string): FieldError[] {
  return aliases.flatMap(({ ip = '', hostnames = [] }, position) => [
    ...ipErrors(ip, child(index(path, position), 'ip')),
    ...hostnames.flatMap((name, place) =>
      isDns1123Subdomain(name).map((message) => invalidValue(index(child(index(path, position), 'hostnames'), place), name, message)),
    ),
  ]);
}

/** A search path may be a lone dot, end with one, and hold underscores. */
function validateSearch(search: string, path: string): FieldError[] {
  if (search === '.') return [];
  const name = search.replace(/\.$/, '').replaceAll(/_/g, '-');
  const checked = name.replaceAll(/(^|\.)-+|-+(?=\.|$)/g, (match) => match.replaceAll('-', 'a'));
  return isDns1123Subdomain(search.includes('_') ? checked : name).map((message) => invalidValue(path, search, message));
}
