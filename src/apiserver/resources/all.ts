// The kinds whose rules are complete, in the order of the API groups: what is not here is not advertised.
import { controllerRevisionRules } from './apps/controllerrevisions.ts';
import { daemonSetRules } from './apps/daemonsets.ts';
import { deploymentRules } from './apps/deployments.ts';
import { replicaSetRules } from './apps/replicasets.ts';
import { statefulSetRules } from './apps/statefulsets.ts';
import { horizontalPodAutoscalerRules } from './autoscaling/horizontalpodautoscalers.ts';
import { cronJobRules } from './batch/cronjobs.ts';
import { jobRules } from './batch/jobs.ts';
import { certificateSigningRequestRules } from './certificates/certificatesigningrequests.ts';
import { leaseRules } from './coordination/leases.ts';
import { configMapRules } from './core/configmaps.ts';
import { endpointsRules } from './core/endpoints.ts';
import { eventRules } from './core/events.ts';
import { limitRangeRules } from './core/limitranges.ts';
import { namespaceRules } from './core/namespaces.ts';
import { nodeRules } from './core/nodes.ts';
import { persistentVolumeClaimRules } from './core/persistentvolumeclaims.ts';
import { persistentVolumeRules } from './core/persistentvolumes.ts';
import { podRules } from './core/pods.ts';
import { podTemplateRules } from './core/podtemplates.ts';
import { replicationControllerRules } from './core/replicationcontrollers.ts';
import { resourceQuotaRules } from './core/resourcequotas.ts';
import { secretRules } from './core/secrets.ts';
import { serviceAccountRules } from './core/serviceaccounts.ts';
import { serviceRules } from './core/services.ts';
import { endpointSliceRules } from './discovery/endpointslices.ts';
import { ingressClassRules } from './networking/ingressclasses.ts';
import { ingressRules } from './networking/ingresses.ts';
import { runtimeClassRules } from './node/runtimeclasses.ts';
import { podDisruptionBudgetRules } from './policy/poddisruptionbudgets.ts';
import { clusterRoleBindingRules } from './rbac/clusterrolebindings.ts';
import { clusterRoleRules } from './rbac/clusterroles.ts';
import { roleBindingRules } from './rbac/rolebindings.ts';
import { roleRules } from './rbac/roles.ts';
import type { ResourceRules } from './resource.ts';
import { priorityClassRules } from './scheduling/priorityclasses.ts';
import { storageClassRules } from './storage/storageclasses.ts';

export const resourceRules: readonly ResourceRules[] = [
  namespaceRules,
  nodeRules,
  podRules,
  serviceRules,
  endpointsRules,
  configMapRules,
  secretRules,
  serviceAccountRules,
  eventRules,
  limitRangeRules,
  resourceQuotaRules,
  persistentVolumeRules,
  persistentVolumeClaimRules,
  podTemplateRules,
  replicationControllerRules,
  deploymentRules,
  replicaSetRules,
  daemonSetRules,
  statefulSetRules,
  controllerRevisionRules,
  horizontalPodAutoscalerRules,
  jobRules,
  cronJobRules,
  endpointSliceRules,
  leaseRules,
  ingressRules,
  ingressClassRules,
  runtimeClassRules,
  podDisruptionBudgetRules,
  roleRules,
  clusterRoleRules,
  roleBindingRules,
  clusterRoleBindingRules,
  storageClassRules,
  priorityClassRules,
  certificateSigningRequestRules,
] as readonly ResourceRules[];
