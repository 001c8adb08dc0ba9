// The controllers of a cluster, in the order in which they start.
import { clusterRoleAggregation } from './clusterrole-aggregation/controller.ts';
import { cronJobController } from './cronjob/controller.ts';
import { daemonSetController } from './daemonset/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { garbageCollector } from './garbage-collector/controller.ts';
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler/controller.ts';
import { jobController } from './job/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeLifecycleController } from './node-lifecycle/controller.ts';
import { persistentVolumeBinder } from './persistent-volume-binder/controller.ts';
import { podGarbageCollector } from './pod-gc/controller.ts';
import { replicaSetController } from './replicaset/controller.ts';
import { replicationController } from './replicationcontroller/controller.ts';
import { resourceQuotaController } from './resource-quota/controller.ts';
import { rootCaCertPublisher } from './root-ca-cert-publisher/controller.ts';
import type { Controller } from './runtime/controller.ts';
import { serviceAccountController } from './serviceaccount/controller.ts';
import { statefulSetController } from './statefulset/controller.ts';
import { taintEvictionController } from './taint-eviction/controller.ts';
import { ttlAfterFinished } from './ttl-after-finished/controller.ts';
import { claimProtection, volumeProtection } from './volume-protection/controller.ts';

export const controllers: readonly Controller[] = [
  serviceAccountController,
  rootCaCertPublisher,
  clusterRoleAggregation,
  namespaceController,
  resourceQuotaController,
  garbageCollector,
  podGarbageCollector,
  nodeLifecycleController(),
  taintEvictionController,
  replicaSetController,
  deploymentController,
  replicationController,
  daemonSetController,
  statefulSetController,
  jobController,
  cronJobController,
  ttlAfterFinished,
  disruptionController,
  horizontalPodAutoscalerController,
  endpointSliceController,
  endpointsController,
  persistentVolumeBinder,
  claimProtection,
  volumeProtection,
];
