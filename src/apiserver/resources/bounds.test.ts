// What keeps others in bounds must be in bounds itself: refusals of limit ranges, quotas, budgets and autoscalers, word by word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitRange, ResourceQuota } from '#api/generated/core-v1.ts';
import type { HorizontalPodAutoscaler } from '#api/generated/autoscaling-v2.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { IngressClass } from '#api/generated/networking-v1.ts';
import { horizontalPodAutoscalerRules } from './autoscaling/horizontalpodautoscalers.ts';
import { limitRangeRules } from './core/limitranges.ts';
import { resourceQuotaRules } from './core/resourcequotas.ts';
import { ingressClassRules } from './networking/ingressclasses.ts';
import { podDisruptionBudgetRules } from './policy/poddisruptionbudgets.ts';
import { cells, created, refusals, updateRefusals } from './rules.fixture.ts';

const metadata = { name: 'web', namespace: 'default' };

test('a limit range whose bounds contradict each other', () => {
  const limits = [
    { type: 'Container', min: { cpu: '2' }, max: { cpu: '1' }, default: { cpu: '3' } },
    { type: 'Container' },
    { type: 'Pod', default: { cpu: '1' } },
    { type: 'PersistentVolumeClaim' },
    { type: 'Thing' },
  ];
  const range = { metadata, spec: { limits } } as unknown as LimitRange;
  assert.deepEqual(refusals(limitRangeRules, range), [
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    'spec.limits[0].defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than max value 1',
    'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
    'spec.limits[1].type: Duplicate value: "Container"',
    "spec.limits[2].default: Forbidden: may not be specified when `type` is 'Pod'",
    'spec.limits[3].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
    'spec.limits[4].type: Invalid value: "Thing": must be a standard limit type or fully qualified',
  ]);
});

test('a quota over unknown resources, or with scopes that do not fit', () => {
  const quota = (spec: ResourceQuota['spec']): ResourceQuota => ({ metadata, spec });
  assert.deepEqual(refusals(resourceQuotaRules, quota({ hard: { pod: '1', pods: '1.5' } })), [
    'spec.hard[pod]: Invalid value: "pod": must be a standard resource type or fully qualified',
    'spec.hard[pod]: Invalid value: "pod": must be a standard resource for quota',
    'spec.hard[pods]: Invalid value: "1.5": must be an integer',
  ]);
  assert.deepEqual(refusals(resourceQuotaRules, quota({ hard: { services: '1' }, scopes: ['BestEffort', 'NotBestEffort'] })), [
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource',
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
  ]);
  const made = created(resourceQuotaRules, quota({ hard: { pods: '1' }, scopes: ['BestEffort'] }));
  assert.deepEqual(
    updateRefusals(resourceQuotaRules, made, ({ spec }) => void (spec.scopes = ['Terminating'])),
    ['spec.scopes: Invalid value: ["Terminating"]: field is immutable'],
  );
});

test('a budget that says two things, or too much', () => {
  const budget = (spec: PodDisruptionBudget['spec']): PodDisruptionBudget => ({ metadata, spec });
  assert.deepEqual(refusals(podDisruptionBudgetRules, budget({ minAvailable: 1, maxUnavailable: '101%' })), [
    'spec: Invalid value: {"minAvailable":1,"maxUnavailable":"101%"}: minAvailable and maxUnavailable cannot be both set',
    'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ]);
  assert.deepEqual(refusals(podDisruptionBudgetRules, budget({ minAvailable: -1, unhealthyPodEvictionPolicy: 'Never' })), [
    'spec.minAvailable: Invalid value: -1: must be greater than or equal to 0',
    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
  ]);
});

test('an autoscaler without target, metrics without source and behaviour without policies', () => {
  const spec = {
    minReplicas: 3,
    maxReplicas: 2,
    scaleTargetRef: { kind: 'Deployment' },
    metrics: [{ type: 'Resource' }, { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization' } } }, { type: 'Magic' }],
    behavior: { scaleUp: { policies: [] }, scaleDown: { selectPolicy: 'Any', stabilizationWindowSeconds: 4000 } },
  };
  assert.deepEqual(refusals(horizontalPodAutoscalerRules, { metadata, spec } as unknown as HorizontalPodAutoscaler), [
    'spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`',
    'spec.scaleTargetRef.name: Required value',
    'spec.metrics[0].resource: Required value: must populate information for the given metric source',
    'spec.metrics[1].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
    'spec.metrics[2].type: Unsupported value: "Magic": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
    'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
    'spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600',
    'spec.behavior.scaleDown.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
  ]);
});

test('the targets of an autoscaler, two of them in full', () => {
  const target = { type: 'Utilization', averageUtilization: 50 };
  const metrics = [
    { type: 'Resource', resource: { name: 'cpu', target } },
    { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } },
    { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'Value', value: '3' } } },
  ];
  const currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 20 } } }];
  const autoscaler = { metadata, spec: { metrics, maxReplicas: 2 }, status: { currentMetrics } } as unknown as HorizontalPodAutoscaler;
  assert.equal(cells(horizontalPodAutoscalerRules, autoscaler)[2], 'cpu: 20%/50%, <unknown>/10 + 1 more...');
});

test('an ingress class that names its controller plainly, and parameters of a namespace without one', () => {
  const parameters = { kind: 'Params', name: 'a', scope: 'Namespace' };
  const ingressClass: IngressClass = { metadata: { name: 'web' }, spec: { controller: 'nginx', parameters } };
  assert.deepEqual(refusals(ingressClassRules, ingressClass), [
    'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ]);
});
