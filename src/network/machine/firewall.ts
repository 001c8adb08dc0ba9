// The nftables rules that make the host the gateway of a cluster's subnet, and those every machine has before kube-proxy comes.
// Pure text for `nft -f -`; each script replaces its own table in one transaction and touches no other.

/** A port of the host's loopback that the subnet reaches under another address. */
export interface Exposure {
  address: string;
  port: number;
  loopbackPort: number;
  /** Who may use it: an address, block or range as nftables writes them. */
  from: string;
}

export function hostRuleset(options: { table: string; link: string; subnet: string; exposures: Exposure[] }): string {
  const { table, link, subnet, exposures } = options;
  const exposed = exposures.map(
    ({ address, port, loopbackPort, from }) =>
      `    iifname "${link}" ip saddr ${from} ip daddr ${address} tcp dport ${port} dnat to 127.0.0.1:${loopbackPort}`,
  );
  return `${replaceTable(table)}
table ip ${table} {
  chain raw {
    type filter hook prerouting priority -300; policy accept;
    # The way to exposed ports needs route_localnet: nobody may name the loopback itself.
    iifname "${link}" ip daddr 127.0.0.0/8 drop
  }
  chain expose {
    type nat hook prerouting priority -100; policy accept;
${exposed.join('\n')}
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    # Only the host itself opens connections into the subnet: not its network, not another cluster.
    oifname "${link}" ct state established,related accept
    oifname "${link}" drop
    # Link-local means this link: whoever answers there beyond the host (a cloud's metadata) is not for pods.
    iifname "${link}" ip daddr 169.254.0.0/16 reject
  }
  chain outbound {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${subnet} oifname != { "${link}", "lo" } masquerade
  }
}
`;
}

export function machineRuleset(options: {
  gateway: string;
  streamingPort: number;
  /** Where the host answers DNS for the machine itself when its resolver is on its own loopback (systemd-resolved). */
  loopbackResolver?: { port: number };
}): string {
  const { gateway, streamingPort, loopbackResolver } = options;
  const resolver =
    loopbackResolver === undefined
      ? ''
      : `  chain resolve {
    type nat hook output priority -101; policy accept;
    ip daddr 127.0.0.0/8 udp dport 53 dnat to ${gateway}:${loopbackResolver.port}
    ip daddr 127.0.0.0/8 tcp dport 53 dnat to ${gateway}:${loopbackResolver.port}
  }
  chain resolved {
    type nat hook postrouting priority 100; policy accept;
    ip saddr 127.0.0.0/8 ip daddr ${gateway} masquerade
  }
`;
  return `${replaceTable('keks_machine')}
table ip keks_machine {
  chain input {
    type filter hook input priority 0; policy accept;
    # exec and port-forward belong to the API server's side, never to pods.
    tcp dport ${streamingPort} ip saddr != ${gateway} drop
  }
${resolver}}
`;
}

/** Deleting a table that may not exist: declare it first, as `destroy` is too new for Debian's nft. */
function replaceTable(table: string): string {
  return `table ip ${table} {\n}\ndelete table ip ${table}`;
}
