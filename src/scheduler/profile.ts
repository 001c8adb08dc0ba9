// The default profile: which plugins decide, in which order and with which weight. The order and weights are upstream's.
import type { Profile } from './framework.ts';
import { balancedAllocation } from './plugins/balanced-allocation.ts';
import { nodeAffinity } from './plugins/node-affinity.ts';
import { nodeName } from './plugins/node-name.ts';
import { nodePorts } from './plugins/node-ports.ts';
import { nodeResourcesFit } from './plugins/node-resources-fit.ts';
import { nodeUnschedulable } from './plugins/node-unschedulable.ts';
import { taintToleration } from './plugins/taint-toleration.ts';
import type { VolumeLookup } from './plugins/volume-binding.ts';
import { volumeBinding } from './plugins/volume-binding.ts';

export function defaultProfile(volumes: VolumeLookup): Profile {
  const volume = volumeBinding(volumes);
  return {
    schedulerName: 'default-scheduler',
    preFilters: [volume],
    filters: [nodeUnschedulable, nodeName, taintToleration, nodeAffinity, nodePorts, nodeResourcesFit, volume],
    scores: [taintToleration, nodeAffinity, nodeResourcesFit, balancedAllocation],
  };
}
