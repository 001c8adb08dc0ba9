// The files that a machine's containerd reads: its own configuration and its CNI network. Pure text.
import type { Cidr } from '../ipam/cidr.ts';
import { formatAddress, formatCidr } from '../ipam/cidr.ts';

export interface ContainerdPaths {
  root: string;
  state: string;
  socket: string;
  runcRoot: string;
  cniConfig: string;
  /** hosts.toml files: which registries are asked for which images. */
  registryHosts: string;
}

/** Where exec, attach and port-forward are answered; the machine's firewall lets only the host in. */
export const streamingPort = 10010;

export function containerdConfig(options: {
  paths: ContainerdPaths;
  address: string;
  pauseImage: string;
  snapshotter: 'overlayfs' | 'native';
}): string {
  const { paths, address, pauseImage, snapshotter } = options;
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${toml(paths.root)}
state = ${toml(paths.state)}
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = ${toml(paths.socket)}

[${cri}]
  sandbox_image = ${toml(pauseImage)}
  # Without CAP_SYS_RESOURCE, as in many virtual machines, no process may lower its OOM score: every sandbox would fail to start.
  restrict_oom_score_adj = true
  stream_server_address = ${toml(address)}
  stream_server_port = "${streamingPort}"
  netns_mounts_under_state_dir = true
  max_container_log_line_size = 262144
  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${toml(paths.cniConfig)}
  [${cri}.registry]
    config_path = ${toml(paths.registryHosts)}
  [${cri}.containerd]
    snapshotter = ${toml(snapshotter)}
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        Root = ${toml(paths.runcRoot)}
        SystemdCgroup = false
`;
}

/**
 * Pods get addresses of the VPC subnet itself and a cable to their machine each (ptp). The machine is their gateway, and answers the
 * subnet's ARP requests for them (proxy_arp), so that nobody else needs a route: what the AWS VPC CNI does with secondary addresses.
 */
export function cniConfig(options: {
  network: string;
  subnet: Cidr;
  range: { first: number; last: number };
  address: string;
  dataDirectory: string;
}): string {
  const range = {
    subnet: formatCidr(options.subnet),
    rangeStart: formatAddress(options.range.first),
    rangeEnd: formatAddress(options.range.last),
    gateway: options.address,
  };
  const ipam = { type: 'host-local', dataDir: options.dataDirectory, ranges: [[range]], routes: [{ dst: '0.0.0.0/0' }] };
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: options.network,
    plugins: [
      { type: 'ptp', ipMasq: false, ipam },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  });
}

/** A TOML basic string; paths with control characters do not occur. */
function toml(text: string): string {
  return JSON.stringify(text);
}
