// A ruleset as the text that `nft -f -` loads in one transaction: whole, or only what changed since the last one.
import type { MapName, Ruleset } from './ruleset.ts';

const table = 'ip keks_proxy';
const mapTypes: Record<MapName, string> = {
  'service-ips': 'ipv4_addr . inet_proto . inet_service',
  'no-endpoint-ips': 'ipv4_addr . inet_proto . inet_service',
  'service-nodeports': 'inet_proto . inet_service',
  'no-endpoint-nodeports': 'inet_proto . inet_service',
};
const mapNames = Object.keys(mapTypes) as MapName[];

/** Replaces the whole table, whatever is there. */
export function fullScript(ruleset: Ruleset): string {
  return [
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    ...mapNames.map((name) => `add map ${table} ${name} { type ${mapTypes[name]} : verdict; }`),
    `add set ${table} nodeport-ips { type ipv4_addr; }`,
    ...(ruleset.nodeAddresses.length > 0 ? [`add element ${table} nodeport-ips { ${ruleset.nodeAddresses.join(', ')} }`] : []),
    ...baseChains(ruleset.serviceCidr),
    ...additions(ruleset, undefined),
    '',
  ].join('\n');
}

/** Undefined when nothing changed. The base must be as it was: another service CIDR or address needs the full script. */
export function deltaScript(old: Ruleset, current: Ruleset): string | undefined {
  const lines = [...removedElements(old, current), ...additions(current, old), ...removals(old, current)];
  return lines.length === 0 ? undefined : `${lines.join('\n')}\n`;
}

export function sameBase(a: Ruleset, b: Ruleset): boolean {
  return a.serviceCidr === b.serviceCidr && a.nodeAddresses.join() === b.nodeAddresses.join();
}

/** Takes the table away. */
export const removalScript = `add table ${table}\ndelete table ${table}\n`;

function baseChains(serviceCidr: string): string[] {
  const chain = (name: string, hook: string, rules: string[]) => [
    `add chain ${table} ${name}${hook === '' ? '' : ` { ${hook}; policy accept; }`}`,
    ...rules.map((rule) => `add rule ${table} ${name} ${rule}`),
  ];
  const noEndpoints = 'ct state new ip daddr . meta l4proto . th dport vmap @no-endpoint-ips';
  return [
    ...chain('reject-chain', '', ['reject']),
    ...chain('services', '', [
      'ip daddr . meta l4proto . th dport vmap @service-ips',
      'ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports',
    ]),
    ...chain('nat-prerouting', 'type nat hook prerouting priority -100', ['jump services']),
    ...chain('nat-output', 'type nat hook output priority -100', ['jump services']),
    ...chain('nat-postrouting', 'type nat hook postrouting priority 100', [
      'meta mark and 0x4000 == 0 return',
      'meta mark set meta mark xor 0x4000',
      'masquerade',
    ]),
    ...chain('filter-input', 'type filter hook input priority 0', [
      noEndpoints,
      'ct state new ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports',
    ]),
    // Translated packets have another destination by now: what still goes to a service address has no service.
    ...chain('filter-forward', 'type filter hook forward priority 0', [noEndpoints, `ct state new ip daddr ${serviceCidr} reject`]),
    ...chain('filter-output', 'type filter hook output priority 0', [noEndpoints, `ct state new ip daddr ${serviceCidr} reject`]),
  ];
}

/** New sets and chains first, then their rules (which refer to one another), then the elements that lead to them. */
function additions(current: Ruleset, old: Ruleset | undefined): string[] {
  const sets = [...current.affinitySets].filter(([name]) => !old?.affinitySets.has(name));
  const changed = [...current.chains].filter(([name, rules]) => old?.chains.get(name)?.join('\n') !== rules.join('\n'));
  return [
    ...sets.map(([name, seconds]) => `add set ${table} ${name} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`),
    ...changed.map(([name]) => (old?.chains.has(name) ? `flush chain ${table} ${name}` : `add chain ${table} ${name}`)),
    ...changed.flatMap(([name, rules]) => rules.map((rule) => `add rule ${table} ${name} ${rule}`)),
    ...mapNames.flatMap((map) =>
      elementLines(
        'add',
        map,
        [...current.maps[map]].filter(([key, verdict]) => old?.maps[map].get(key) !== verdict),
      ),
    ),
  ];
}

function removedElements(old: Ruleset, current: Ruleset): string[] {
  return mapNames.flatMap((map) =>
    elementLines(
      'delete',
      map,
      [...old.maps[map]].filter(([key, verdict]) => current.maps[map].get(key) !== verdict),
    ),
  );
}

/** Chains go last, emptied first, as they refer to one another. */
function removals(old: Ruleset, current: Ruleset): string[] {
  const chains = [...old.chains.keys()].filter((name) => !current.chains.has(name));
  const sets = [...old.affinitySets].filter(([name]) => !current.affinitySets.has(name));
  return [
    ...chains.map((name) => `flush chain ${table} ${name}`),
    ...chains.map((name) => `delete chain ${table} ${name}`),
    ...sets.map(([name]) => `delete set ${table} ${name}`),
  ];
}

function elementLines(verb: 'add' | 'delete', map: MapName, elements: [string, string][]): string[] {
  if (elements.length === 0) return [];
  const list = elements.map(([key, verdict]) => `${key} : ${verdict}`).join(', ');
  return [`${verb} element ${table} ${map} { ${list} }`];
}
