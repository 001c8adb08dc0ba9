// The ReplicationController controller: what the ReplicaSet controller does, for the kind that came before ReplicaSets.
import type { ReplicationController } from '#api/generated/core-v1.ts';
import { replicationcontrollers } from '#api/generated/resources.ts';
import { selectorOfLabelSelector } from '#api/meta/label-selector.ts';
import { replicaController } from '../replicaset/controller.ts';

export const replicationController = replicaController<ReplicationController>({
  name: 'replicationcontroller',
  serviceAccount: 'replication-controller',
  resource: replicationcontrollers,
  selectorOf: ({ spec }) => selectorOfLabelSelector(spec.selector && { matchLabels: spec.selector }),
});
