// Real nodes for a fleet: each instance of a node group is a machine of the home, with the cluster's network around it.
// Machines outlive the daemon; the next one adopts them with all that runs there.
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { formatAddress, parseCidr } from '#network/ipam/cidr.ts';
import { loadImage } from '#network/registry/load-image.ts';
import type { RealNodes } from '#real-nodes.ts';
import { openNodeHome, startRealNodes } from '#real-nodes.ts';
import { hostInfo } from './host-info.ts';
import type { ClusterPlace, NodeProvider } from './node-provider.ts';

export interface MachinesProviderOptions {
  /** KEKS_HOME */
  home: string;
  clock: Clock;
  random: Random;
  log: Log;
}

/** Where pods reach the API server at the subnet's gateway. */
const apiServerPort = 443;

export async function machinesProvider(options: MachinesProviderOptions): Promise<NodeProvider> {
  const { clock, random } = options;
  const nodeHome = await openNodeHome(options);
  const { machines, registry } = nodeHome;
  const info = await hostInfo();
  const started = new Map<string, RealNodes>();
  return {
    kind: 'containerd',
    async prepareCluster(cluster) {
      const subnet = await machines.ensureSubnet(networkName(cluster), { registryPort: registry.port });
      return { addresses: [subnet.gateway], advertise: { address: subnet.gateway, port: apiServerPort } };
    },
    async clusterStarted(place, { cluster, port, serviceCidr, logOf }) {
      const clusterDns = formatAddress(parseCidr(serviceCidr).base + 10);
      const gatewayPorts = [{ port: apiServerPort, loopbackPort: port }];
      const name = networkName(place);
      started.set(place.id, await startRealNodes({ cluster, name, nodeHome, clock, random, logOf, serviceCidr, clusterDns, gatewayPorts }));
    },
    async clusterStopping({ id }) {
      await started.get(id)?.stop();
      started.delete(id);
    },
    async claimAddresses(cluster, instances) {
      const addresses: string[] = [];
      for (const { instanceId, pods } of instances) {
        addresses.push((await machines.ensure({ cluster: networkName(cluster), id: instanceId, maxPods: pods })).address);
      }
      return addresses;
    },
    async addNode(place, { instanceId, capacity }, settings) {
      await started.get(place.id)!.add({ id: instanceId, maxPods: capacity.pods, settings: () => ({ ...settings, info }) });
    },
    async removeNode(place, { instanceId, name }) {
      const nodes = started.get(place.id);
      if (nodes !== undefined && name !== undefined) await nodes.remove({ id: instanceId, nodeName: name });
      else await machines.remove({ cluster: networkName(place), id: instanceId });
    },
    removeCluster: (cluster) => machines.removeCluster(networkName(cluster)),
    async loadImage(file) {
      return (await loadImage({ file, registry })).map((image) => image.name);
    },
  };
}

/** A cluster's id is never reused, its name may be. */
function networkName({ id }: ClusterPlace): string {
  return id.toLowerCase();
}
