// Pods: columns in every state, refusals word by word, what may change.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, ContainerStatus, Pod, PodSpec, PodStatus } from '#api/generated/core-v1.ts';
import { cells, created, refusals, statusRefusals, updated, updateRefusals } from '../rules.fixture.ts';
import { podRules } from './pods.ts';

const container = (fields: Partial<Container> = {}): Container => ({ name: 'web', image: 'nginx:1', ...fields });
const podOf = (spec: Partial<PodSpec> = {}, status?: PodStatus): Pod => ({
  metadata: { name: 'web', namespace: 'default', creationTimestamp: '2026-01-02T11:55:00Z' },
  spec: { containers: [container()], ...spec },
  ...(status && { status }),
});

test('a pod gets every default of upstream', () => {
  const pod = created(
    podRules,
    podOf({
      containers: [container({ image: 'nginx', ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 } } })],
      volumes: [{ name: 'data' }],
    }),
  );
  assert.deepEqual(pod.spec, {
    containers: [
      {
        name: 'web',
        image: 'nginx',
        imagePullPolicy: 'Always',
        livenessProbe: {
          httpGet: { port: 80, path: '/', scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
    dnsPolicy: 'ClusterFirst',
    enableServiceLinks: true,
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  });
  assert.deepEqual(pod.status, { phase: 'Pending', qosClass: 'BestEffort' });
});

test('limits stand in for requests, and decide the quality of service', () => {
  const qos = (resources: Container['resources']) => created(podRules, podOf({ containers: [container({ resources })] })).status!.qosClass;
  assert.equal(qos({ limits: { cpu: '1', memory: '1Gi' } }), 'Guaranteed');
  assert.equal(qos({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }), 'Guaranteed');
  assert.equal(qos({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }), 'Burstable');
  assert.equal(qos({ requests: { cpu: '1' } }), 'Burstable');
  assert.equal(qos({ requests: { cpu: '0' } }), 'BestEffort');
  const pod = created(podRules, podOf({ containers: [container({ resources: { limits: { cpu: '1' } } })] }));
  assert.deepEqual(pod.spec!.containers[0]!.resources, { limits: { cpu: '1' }, requests: { cpu: '1' } });
});

test('images are pulled always when they are latest and not pinned', () => {
  const policy = (image: string) => created(podRules, podOf({ containers: [container({ image })] })).spec!.containers[0]!.imagePullPolicy;
  const digest = `sha256:${'a'.repeat(64)}`;
  const always = ['nginx', 'nginx:latest', 'localhost:5000/nginx', `nginx:latest@${digest}`];
  const ifNotPresent = ['nginx:1', 'localhost:5000/nginx:1', `nginx@${digest}`];
  for (const image of always) assert.equal(policy(image), 'Always', image);
  for (const image of ifNotPresent) assert.equal(policy(image), 'IfNotPresent', image);
});

test('a gated pod says so in its conditions', () => {
  const { conditions } = created(podRules, podOf({ schedulingGates: [{ name: 'example.com/quota' }] })).status!;
  assert.deepEqual(conditions, [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    },
  ]);
});

const one = (fields: Partial<Container>): Partial<PodSpec> => ({ containers: [container(fields)] });
const invalidPods: Record<string, [Partial<PodSpec>, ...string[]]> = {
  'no containers': [{ containers: [] }, 'spec.containers: Required value'],
  'a container without name or image': [
    { containers: [{ name: '' }] },
    'spec.containers[0].name: Required value',
    'spec.containers[0].image: Required value',
  ],
  'two containers of one name': [{ containers: [container(), container()] }, 'spec.containers[1].name: Duplicate value: "web"'],
  'an init container of a container’s name': [{ initContainers: [container()] }, 'spec.initContainers[0].name: Duplicate value: "web"'],
  'a capital in a name': [
    { containers: [container({ name: 'Web' })] },
    "spec.containers[0].name: Invalid value: \"Web\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ],
  'a request above its limit': [
    one({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  ],
  'a negative request': [
    one({ resources: { requests: { memory: '-1Gi' } } }),
    'spec.containers[0].resources.requests[memory]: Invalid value: "-1Gi": must be greater than or equal to 0',
  ],
  'an unknown resource': [
    one({ resources: { requests: { foo: '1' } } }),
    'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
    'spec.containers[0].resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
  ],
  'a device without limit': [
    one({ resources: { requests: { 'example.com/gpu': '1' } } }),
    'spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources',
  ],
  'ports out of range, unknown and twice': [
    one({
      ports: [
        { containerPort: 70_000, protocol: 'ICMP' },
        { containerPort: 80, hostPort: 80 },
        { containerPort: 81, hostPort: 80 },
      ],
    }),
    'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    'spec.containers[0].ports[2].hostPort: Duplicate value: "TCP//80"',
  ],
  'a mount of no volume': [
    one({ volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    'spec.containers[0].volumeMounts[0].name: Not found: "data"',
  ],
  'two mounts at one path': [
    {
      ...one({
        volumeMounts: [
          { name: 'a', mountPath: '/a' },
          { name: 'a', mountPath: '/a' },
        ],
      }),
      volumes: [{ name: 'a' }],
    },
    'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
  ],
  'two sources of one volume': [
    { volumes: [{ name: 'a', emptyDir: {}, hostPath: { path: '/a' } }] },
    'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
  ],
  'a config map volume without name': [{ volumes: [{ name: 'a', configMap: {} }] }, 'spec.volumes[0].configMap.name: Required value'],
  'a path that goes up': [
    { volumes: [{ name: 'a', secret: { secretName: 'a', items: [{ key: 'a', path: '../b' }] } }] },
    'spec.volumes[0].secret.items[0].path: Invalid value: "../b": must not contain \'..\'',
  ],
  'a token for too short a time': [
    { volumes: [{ name: 'a', projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 60 } }] } }] },
    'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
  ],
  'a variable with two origins': [
    one({ env: [{ name: 'A', value: 'b', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
  ],
  'a field that variables cannot have': [
    one({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }] }),
    'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  ],
  'envFrom nothing': [
    one({ envFrom: [{}] }),
    'spec.containers[0].envFrom[0]: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
  ],
  'a probe without handler, and one with two': [
    one({ livenessProbe: {}, readinessProbe: { tcpSocket: { port: 80 }, exec: { command: ['true'] } } }),
    'spec.containers[0].livenessProbe: Required value: must specify a handler type',
    'spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
  ],
  'a liveness probe that must succeed twice': [
    one({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
    'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
  ],
  'a probe of an ordinary init container': [
    { initContainers: [container({ name: 'init', readinessProbe: { tcpSocket: { port: 80 } } })] },
    'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  'unknown policies': [
    { restartPolicy: 'Sometimes', dnsPolicy: 'Mine' },
    'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    'spec.dnsPolicy: Unsupported value: "Mine": supported values: "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"',
  ],
  'a toleration of everything that names no key': [
    { tolerations: [{ operator: 'Equal', value: 'a' }] },
    'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ],
  'seconds for a toleration that does not evict': [
    { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 1 }] },
    'spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
  ],
  'an affinity without terms': [
    { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
  ],
  'a pod affinity without topology': [
    { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: '' }] } } },
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: "": name part must be non-empty',
    "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ],
  'a spread that allows no skew, twice': [
    {
      topologySpreadConstraints: [
        { maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
        { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
      ],
    },
    'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
    'spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
  ],
  'a privileged container that may not gain privileges': [
    one({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
    'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
  ],
  'a deadline of zero': [
    { activeDeadlineSeconds: 0 },
    'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
  ],
  'a node for a gated pod': [
    { nodeName: 'node-1', schedulingGates: [{ name: 'a' }] },
    'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
  ],
};

for (const [what, [spec, ...expected]] of Object.entries(invalidPods))
  test(`a pod is refused for ${what}`, () => assert.deepEqual(refusals(podRules, podOf(spec)), expected));

const stored = () => created(podRules, podOf({ tolerations: [{ key: 'a', operator: 'Exists' }], activeDeadlineSeconds: 10 }));

test('the image, an added toleration and an earlier deadline may change', () => {
  const refused = updateRefusals(podRules, stored(), (pod) => {
    pod.spec!.containers[0]!.image = 'nginx:2';
    pod.spec!.tolerations!.push({ key: 'b', operator: 'Exists' });
    pod.spec!.activeDeadlineSeconds = 5;
  });
  assert.deepEqual(refused, []);
});

test('nothing else of a spec may change', () => {
  const refused = updateRefusals(podRules, stored(), (pod) => {
    pod.spec!.containers[0]!.args = ['-v'];
  });
  assert.equal(refused.length, 1);
  assert.match(
    refused[0]!,
    /^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\]\.image`,`spec\.initContainers\[\*\]\.image`,`spec\.activeDeadlineSeconds`,`spec\.tolerations` \(only additions to existing tolerations\),`spec\.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)\n- containers\[0\]\.args: \["-v"\]$/,
  );
});

test('containers, tolerations and gates are not taken away or added', () => {
  const change = (edit: (spec: PodSpec) => void) => updateRefusals(podRules, stored(), (pod) => edit(pod.spec!));
  assert.deepEqual(
    change((spec) => spec.containers.push(container({ name: 'two' }))),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  );
  assert.deepEqual(
    change((spec) => (spec.tolerations = [])),
    ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
  );
  assert.deepEqual(
    change((spec) => (spec.schedulingGates = [{ name: 'a' }])),
    ["spec.schedulingGates[0]: Forbidden: only deletion is allowed, but found new scheduling gate 'a'"],
  );
  assert.deepEqual(
    change((spec) => (spec.activeDeadlineSeconds = 20)),
    ['spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value'],
  );
});

test('a main update cannot touch status, and a status update keeps the quality of service', () => {
  const old = stored();
  assert.deepEqual(updated(podRules, old, (pod) => (pod.status = { phase: 'Running' })).status, old.status);
  assert.deepEqual(
    statusRefusals(podRules, old, (pod) => (pod.status = { phase: 'Running', qosClass: 'Guaranteed' })),
    ['status.qosClass: Invalid value: "Guaranteed": field is immutable'],
  );
});

test('a container that ended for good does not come back', () => {
  const status = (state: ContainerStatus['state']): ContainerStatus => ({
    name: 'web',
    ready: false,
    restartCount: 0,
    image: 'nginx',
    imageID: '',
    state,
  });
  const old = {
    ...created(podRules, podOf({ restartPolicy: 'Never' })),
    status: { qosClass: 'BestEffort', containerStatuses: [status({ terminated: { exitCode: 1 } })] },
  };
  const revive = (pod: Pod) => void (pod.status!.containerStatuses = [status({ waiting: {} })]);
  assert.deepEqual(statusRefusals(podRules, old, revive), [
    'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
  ]);
  const restarting = { ...old, spec: { ...old.spec!, restartPolicy: 'OnFailure' } };
  assert.deepEqual(statusRefusals(podRules, restarting, revive), []);
});

test('a delete waits for a pod that runs, and for no other', () => {
  const running = podOf({ nodeName: 'node-1', terminationGracePeriodSeconds: 30 }, { phase: 'Running' });
  const grace = (pod: Pod, asked?: number) => podRules.gracePeriodSeconds!(pod, asked);
  assert.equal(grace(running), 30);
  assert.equal(grace(running, 5), 5);
  assert.equal(grace(running, 0), 0);
  assert.equal(grace(podOf({ terminationGracePeriodSeconds: 30 }), 5), 0);
  assert.equal(grace({ ...running, status: { phase: 'Succeeded' } }), 0);
});

const state = (fields: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'web',
  ready: false,
  restartCount: 0,
  image: '',
  imageID: '',
  ...fields,
});
const ready = state({ ready: true, started: true, state: { running: {} } });
const init = (fields: Partial<ContainerStatus>) => state({ name: 'init', ...fields });
const withInit: Partial<PodSpec> = { initContainers: [container({ name: 'init' })] };
const sidecar: Partial<PodSpec> = { initContainers: [container({ name: 'init', restartPolicy: 'Always' })] };

const shown: Record<string, [Pod, ready: string, status: string, restarts: string]> = {
  pending: [podOf({}, { phase: 'Pending' }), '0/1', 'Pending', '0'],
  running: [podOf({}, { phase: 'Running', containerStatuses: [ready] }), '1/1', 'Running', '0'],
  creating: [
    podOf({}, { phase: 'Pending', containerStatuses: [state({ state: { waiting: { reason: 'ContainerCreating' } } })] }),
    '0/1',
    'ContainerCreating',
    '0',
  ],
  initializing: [podOf(withInit, { phase: 'Pending', initContainerStatuses: [init({ state: { running: {} } })] }), '0/1', 'Init:0/1', '0'],
  'failing init': [
    podOf(withInit, {
      phase: 'Pending',
      initContainerStatuses: [init({ restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } })],
    }),
    '0/1',
    'Init:CrashLoopBackOff',
    '2',
  ],
  'init exit code': [
    podOf(withInit, { phase: 'Failed', initContainerStatuses: [init({ state: { terminated: { exitCode: 3 } } })] }),
    '0/1',
    'Init:ExitCode:3',
    '0',
  ],
  'sidecar running': [
    podOf(sidecar, {
      phase: 'Running',
      initContainerStatuses: [init({ ready: true, started: true, state: { running: {} } })],
      containerStatuses: [ready],
    }),
    '2/2',
    'Running',
    '0',
  ],
  'crash loop': [
    podOf(
      {},
      {
        phase: 'Running',
        containerStatuses: [
          state({
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-02T11:59:30Z' } },
          }),
        ],
      },
    ),
    '0/1',
    'CrashLoopBackOff',
    '3 (30s ago)',
  ],
  completed: [
    podOf({}, { phase: 'Succeeded', containerStatuses: [state({ state: { terminated: { exitCode: 0, reason: 'Completed' } } })] }),
    '0/1',
    'Completed',
    '0',
  ],
  signalled: [
    podOf({}, { phase: 'Failed', containerStatuses: [state({ state: { terminated: { exitCode: 137, signal: 9 } } })] }),
    '0/1',
    'Signal:9',
    '0',
  ],
  evicted: [podOf({}, { phase: 'Failed', reason: 'Evicted' }), '0/1', 'Evicted', '0'],
  gated: [
    podOf({}, { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
    '0/1',
    'SchedulingGated',
    '0',
  ],
  'half done, ready': [
    podOf(
      { containers: [container(), container({ name: 'two' })] },
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [state({ state: { terminated: { exitCode: 0, reason: 'Completed' } } }), { ...ready, name: 'two' }],
      },
    ),
    '1/2',
    'Running',
    '0',
  ],
};

for (const [what, [pod, ...expected]] of Object.entries(shown))
  test(`kubectl shows a ${what} pod as ${expected.join(' ')}`, () => assert.deepEqual(cells(podRules, pod).slice(1, 4), expected));

test('a deleted pod is terminating until it has finished', () => {
  const deleted = podOf({}, { phase: 'Running', containerStatuses: [ready] });
  deleted.metadata.deletionTimestamp = '2026-01-02T12:00:00Z';
  assert.equal(cells(podRules, deleted)[2], 'Terminating');
  deleted.status!.reason = 'NodeLost';
  assert.equal(cells(podRules, deleted)[2], 'Unknown');
  deleted.status = { phase: 'Succeeded' };
  assert.equal(cells(podRules, deleted)[2], 'Succeeded');
});

test('the wide cells tell where a pod is', () => {
  const pod = podOf(
    { nodeName: 'node-1', readinessGates: [{ conditionType: 'a' }] },
    { podIPs: [{ ip: '10.1.0.5' }], conditions: [{ type: 'a', status: 'True' }] },
  );
  assert.deepEqual(cells(podRules, pod).slice(4), ['5m', '10.1.0.5', 'node-1', '<none>', '1/1']);
});
