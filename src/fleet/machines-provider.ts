// Real nodes for a fleet: each instance of a node group is a machine of the home, with the cluster's network around it.
// Machines outlive a daemon that is killed: the next one adopts them with all that runs there. One that stops switches them off.
import type { Clock } from '#lib/clock.ts';
import type { Log } from '#lib/log.ts';
import type { Random } from '#lib/random.ts';
import { formatAddress, parseCidr } from '#network/ipam/cidr.ts';
import { loadImage } from '#network/registry/load-image.ts';
import type { NodeHome } from '#node-home.ts';
import { openNodeHome, stopNodeHome } from '#node-home.ts';
import type { RealNodes } from '#real-nodes.ts';
import { startRealNodes } from '#real-nodes.ts';
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

export function machinesProvider(options: MachinesProviderOptions): NodeProvider {
  const { clock, random } = options;
  const opening = Promise.withResolvers<NodeHome>();
  // Whoever asks meanwhile hears of a failure; nobody may.
  opening.promise.catch(() => undefined);
  const started = new Map<string, RealNodes>();
  let asked = false;
  return {
    kind: 'containerd',
    async start() {
      asked = true;
      opening.resolve(openNodeHome(options));
      await opening.promise;
    },
    async stop() {
      // A daemon that came to nothing before it touched the machines leaves them as they are.
      if (!asked) return;
      const nodeHome = await opening.promise.catch(() => undefined);
      await nodeHome?.release();
      await stopNodeHome(options);
    },
    async prepareCluster(cluster) {
      const { machines, registry } = await opening.promise;
      const subnet = await machines.ensureSubnet(networkName(cluster), { registryPort: registry.port });
      return { addresses: [subnet.gateway], advertise: { address: subnet.gateway, port: apiServerPort } };
    },
    async clusterStarted(place, { cluster, port, serviceCidr, logOf }) {
      const clusterDns = formatAddress(parseCidr(serviceCidr).base + 10);
      const gatewayPorts = [{ port: apiServerPort, loopbackPort: port }];
      const name = networkName(place);
      const nodeHome = await opening.promise;
      started.set(place.id, await startRealNodes({ cluster, name, nodeHome, clock, random, logOf, serviceCidr, clusterDns, gatewayPorts }));
    },
    async clusterStopping({ id }) {
      await started.get(id)?.stop();
      started.delete(id);
    },
    async claimAddresses(cluster, instances) {
      const { machines } = await opening.promise;
      const addresses: string[] = [];
      for (const { instanceId, pods } of instances) {
        addresses.push((await machines.ensure({ cluster: networkName(cluster), id: instanceId, maxPods: pods })).address);
      }
      return addresses;
    },
    async addNode(place, { instanceId, capacity }, settings) {
      const info = await hostInfo();
      await started.get(place.id)!.add({ id: instanceId, maxPods: capacity.pods, settings: () => ({ ...settings, info }) });
    },
    async removeNode(place, { instanceId, name }) {
      const nodes = started.get(place.id);
      if (nodes !== undefined && name !== undefined) await nodes.remove({ id: instanceId, nodeName: name });
      else await (await opening.promise).machines.remove({ cluster: networkName(place), id: instanceId });
    },
    async removeCluster(cluster) {
      await (await opening.promise).machines.removeCluster(networkName(cluster));
    },
    async loadImage(file) {
      const { registry } = await opening.promise;
      return (await loadImage({ file, registry })).map((image) => image.name);
    },
  };
}

/** A cluster's id is never reused, its name may be. */
function networkName({ id }: ClusterPlace): string {
  return id.toLowerCase();
}
