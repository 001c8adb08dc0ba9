// Rules of single kinds: derived fields, immutability, transitions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, ReplicaSet } from '#api/generated/apps-v1.ts';
import type { Namespace, Node, PersistentVolumeClaim, Secret, Service } from '#api/generated/core-v1.ts';
import { copyOf, type KubeObject } from '#api/meta/object.ts';
import { resourceRules } from './all.ts';
import type { ResourceRules } from './resource.ts';
import { cells, created, refusals, statusRefusals, texts, updated, updateRefusals } from './rules.fixture.ts';
import { samples } from './samples.fixture.ts';

const rulesOf = <T extends KubeObject>(plural: string) =>
  resourceRules.find(({ resource }) => resource.plural === plural) as unknown as ResourceRules<T>;
const sampleOf = <T extends KubeObject>(plural: string) => copyOf(samples[plural]) as unknown as T;

interface Case {
  plural: string;
  change: (object: KubeObject) => void;
  refused: string[];
}

// Anything may be assigned here: the tests write what clients should not.
type Loose = { [field: string]: Loose };
const bad = (plural: string, change: (object: Loose) => void, ...refused: string[]): Case => ({
  plural,
  change: change as unknown as Case['change'],
  refused,
});
const set = (path: string, value: unknown) => (object: Loose) => {
  const names = path.split('.');
  const last = names.pop()!;
  let place = object;
  for (const name of names) place = place[name] ??= {};
  place[last] = value as Loose;
};

const onCreate: Case[] = [
  bad('deployments', set('spec.replicas', -1), 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'),
  bad(
    'deployments',
    set('spec.template.metadata.labels', { app: 'other' }),
    'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`',
  ),
  bad(
    'deployments',
    set('spec.selector', undefined),
    'spec.selector: Required value',
    'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
  ),
  bad('deployments', set('spec.selector', {}), 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'),
  bad(
    'deployments',
    set('spec.template.spec.restartPolicy', 'Never'),
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ),
  bad(
    'deployments',
    set('spec.strategy', { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } }),
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
  ),
  bad(
    'deployments',
    set('spec.strategy', { type: 'Recreate', rollingUpdate: {} }),
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ),
  bad(
    'deployments',
    set('spec.progressDeadlineSeconds', 0),
    'spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds',
  ),
  bad('services', set('spec.ports', []), 'spec.ports: Required value'),
  bad(
    'services',
    set('spec.type', 'Magic'),
    'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ),
  bad(
    'services',
    set('spec.ports', [{ port: 80 }, { port: 80 }]),
    'spec.ports[0].name: Required value',
    'spec.ports[1].name: Required value',
    'spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}',
  ),
  bad(
    'services',
    set('spec.ports', [{ port: 0, targetPort: 80 }]),
    'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
  ),
  bad(
    'services',
    set('spec.ports', [{ port: 80, nodePort: 30000 }]),
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ),
  bad(
    'services',
    set('spec.clusterIP', '10.0.0.300'),
    'spec.clusterIPs[0]: Invalid value: "10.0.0.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ),
  bad('services', set('spec', { type: 'ExternalName' }), 'spec.externalName: Required value'),
  bad(
    'services',
    set('spec.sessionAffinity', 'Sticky'),
    'spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"',
  ),
  bad(
    'services',
    set('spec.externalIPs', ['127.0.0.1']),
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ),
  bad('secrets', set('type', 'kubernetes.io/tls'), 'data[tls.crt]: Required value', 'data[tls.key]: Required value'),
  bad(
    'secrets',
    set('data', { 'a/b': '' }),
    "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
  ),
  bad(
    'secrets',
    (secret) =>
      Object.assign(secret, {
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': Buffer.from('[]').toString('base64') },
      }),
    'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}',
  ),
  bad(
    'configmaps',
    set('binaryData', { 'nginx.conf': '' }),
    'data[nginx.conf]: Invalid value: "nginx.conf": duplicate of key present in binaryData',
    'binaryData[nginx.conf]: Invalid value: "nginx.conf": duplicate of key present in data',
  ),
  bad('configmaps', set('data', { a: 'x'.repeat(1_048_577) }), ': Too long: may not be more than 1048576 bytes'),
  bad(
    'nodes',
    set('spec.taints', [{ key: 'a', effect: 'Never' }]),
    'spec.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ),
  bad(
    'nodes',
    set('spec', { podCIDRs: ['10.1.0.0'] }),
    'spec.podCIDRs[0]: Invalid value: "10.1.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ),
  bad('endpoints', set('subsets', [{}]), 'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'),
  bad('endpointslices', set('addressType', 'IPv9'), 'addressType: Unsupported value: "IPv9": supported values: "FQDN", "IPv4", "IPv6"'),
  bad(
    'endpointslices',
    set('endpoints', [{ addresses: ['::1'] }]),
    'endpoints[0].addresses[0]: Invalid value: "::1": must be an IPv4 address',
  ),
  bad(
    'endpointslices',
    set(
      'endpoints',
      Array.from({ length: 1001 }, () => ({ addresses: ['10.1.0.5'] })),
    ),
    'endpoints: Too many: 1001: must have at most 1000 items',
  ),
  bad('persistentvolumeclaims', set('spec.accessModes', []), 'spec.accessModes: Required value: at least 1 access mode is required'),
  bad('persistentvolumeclaims', set('spec.resources', {}), 'spec.resources[storage]: Required value'),
  bad('persistentvolumes', set('spec.nfs', { server: 'a', path: '/b' }), 'spec.nfs: Forbidden: may not specify more than 1 volume type'),
  bad('persistentvolumes', set('spec.capacity', {}), 'spec.capacity: Required value'),
  bad('storageclasses', set('provisioner', ''), 'provisioner: Required value'),
  bad('storageclasses', set('reclaimPolicy', 'Burn'), 'reclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Retain"'),
  bad('priorityclasses', set('value', 1_000_000_001), 'value: Forbidden: maximum allowed value of a user defined priority is 1000000000'),
  bad(
    'priorityclasses',
    set('metadata.name', 'system-mine'),
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  ),
  bad('leases', set('spec.leaseDurationSeconds', 0), 'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'),
  bad(
    'events',
    set('involvedObject.namespace', 'other'),
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ),
  bad(
    'roles',
    set('rules', [{ verbs: ['get'], nonResourceURLs: ['/a'] }]),
    'rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs',
  ),
  bad(
    'clusterroles',
    set('rules', [{}]),
    'rules[0].verbs: Required value: verbs must contain at least one value',
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  ),
  bad(
    'rolebindings',
    set('subjects', [{ kind: 'Robot', name: 'r' }]),
    'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
  ),
  bad('clusterrolebindings', set('subjects', [{ kind: 'ServiceAccount', name: 'a' }]), 'subjects[0].namespace: Required value'),
  bad('clusterrolebindings', set('roleRef.kind', 'Role'), 'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'),
  bad('certificatesigningrequests', set('spec.usages', []), 'spec.usages: Required value: at least one usage is required'),
  bad(
    'certificatesigningrequests',
    set('spec.expirationSeconds', 60),
    'spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 seconds (10 minutes)',
  ),
  bad(
    'certificatesigningrequests',
    set('spec.request', 'AAAA'),
    'spec.request: Invalid value: "AAAA": PEM block type must be CERTIFICATE REQUEST',
  ),
];

for (const { plural, change, refused } of onCreate)
  test(`${plural}: a create is refused with ${refused[0]!.slice(0, 90)}`, () => {
    assert.deepEqual(refusals(rulesOf(plural), sampleOf(plural), change), refused);
  });

const onUpdate: Case[] = [
  bad(
    'deployments',
    (object) => {
      set('spec.selector', { matchLabels: { app: 'b' } })(object);
      set('spec.template.metadata.labels', { app: 'b' })(object);
    },
    'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
  ),
  bad('secrets', set('type', 'example.com/other'), 'type: Invalid value: "example.com/other": field is immutable'),
  bad(
    'endpointslices',
    (object) => {
      set('addressType', 'IPv6')(object);
      set('endpoints', [])(object);
    },
    'addressType: Invalid value: "IPv6": field is immutable',
  ),
  bad(
    'nodes',
    set('spec', { podCIDR: '10.2.0.0/24' }),
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  ),
  bad('storageclasses', set('provisioner', 'other.com/x'), 'provisioner: Forbidden: updates to provisioner are forbidden.'),
  bad(
    'storageclasses',
    set('volumeBindingMode', 'WaitForFirstConsumer'),
    'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
  ),
  bad('priorityclasses', set('value', 5), 'value: Forbidden: may not be changed in an update.'),
  bad(
    'rolebindings',
    set('roleRef.name', 'other'),
    'roleRef: Invalid value: {"kind":"Role","name":"other","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
  ),
  bad(
    'persistentvolumes',
    set('spec.hostPath.path', '/other'),
    'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
  ),
  bad('persistentvolumes', set('spec.volumeMode', 'Block'), 'spec.volumeMode: Invalid value: "Block": field is immutable'),
];

for (const { plural, change, refused } of onUpdate)
  test(`${plural}: an update is refused with ${refused[0]!.slice(0, 90)}`, () => {
    const old = created(rulesOf(plural), sampleOf(plural));
    assert.deepEqual(updateRefusals(rulesOf(plural), old, change), refused);
  });

test('stringData goes into data and is never kept', () => {
  const secret = created(rulesOf<Secret>('secrets'), sampleOf<Secret>('secrets'));
  assert.deepEqual(secret.data, { password: Buffer.from('secret').toString('base64') });
  assert.equal(secret.stringData, undefined);
  assert.equal(secret.type, 'Opaque');
});

test('an immutable config map stays as it is and stays immutable', () => {
  const rules = rulesOf<KubeObject & { immutable?: boolean; data?: object }>('configmaps');
  const old = created(rules, sampleOf('configmaps'), (object) => (object.immutable = true));
  const refused = updateRefusals(rules, old, (object) => Object.assign(object, { immutable: false, data: {} }));
  assert.deepEqual(refused, [
    'immutable: Forbidden: field is immutable when `immutable` is set',
    'data: Forbidden: field is immutable when `immutable` is set',
  ]);
});

test('a deployment gets its rolling update, history and deadline', () => {
  const { spec } = created(rulesOf<Deployment>('deployments'), sampleOf<Deployment>('deployments'));
  assert.deepEqual(spec!.strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } });
  assert.deepEqual([spec!.replicas, spec!.revisionHistoryLimit, spec!.progressDeadlineSeconds], [1, 10, 600]);
  assert.equal(spec!.template.spec!.containers[0]!.imagePullPolicy, 'Always');
  assert.equal(spec!.template.spec!.enableServiceLinks, undefined);
});

test('a replica set has no more ready replicas than replicas', () => {
  const rules = rulesOf<ReplicaSet>('replicasets');
  const refused = statusRefusals(
    rules,
    created(rules, sampleOf<ReplicaSet>('replicasets')),
    (set) => (set.status = { replicas: 1, readyReplicas: 2 }),
  );
  assert.deepEqual(refused, ['status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas']);
});

const service = rulesOf<Service>('services');
const allocated = (change?: (service: Service) => void) =>
  created(service, sampleOf<Service>('services'), (object) => {
    object.spec!.clusterIP = '10.100.0.9';
    change?.(object);
  });

test('a service gets its target port, traffic policies and affinity', () => {
  const { spec } = created(service, sampleOf<Service>('services'), (object) => (object.spec!.type = 'LoadBalancer'));
  assert.deepEqual(spec!.ports, [{ port: 80, protocol: 'TCP', targetPort: 80 }]);
  assert.deepEqual(
    [spec!.internalTrafficPolicy, spec!.externalTrafficPolicy, spec!.sessionAffinity, spec!.allocateLoadBalancerNodePorts],
    ['Cluster', 'Cluster', 'None', true],
  );
});

test('a service keeps its address and node port when a client leaves them out', () => {
  const old = allocated(({ spec }) => Object.assign(spec!, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }));
  const { spec } = updated(service, old, (object) => {
    delete object.spec!.clusterIP;
    delete object.spec!.clusterIPs;
    object.spec!.ports = [{ port: 81 }];
  });
  assert.deepEqual([spec!.clusterIP, spec!.clusterIPs, spec!.ports![0]!.nodePort], ['10.100.0.9', ['10.100.0.9'], 30_080]);
});

test('a service loses what its new type has no use for', () => {
  const old = allocated(({ spec }) => Object.assign(spec!, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }));
  const cluster = updated(service, old, (object) => (object.spec!.type = 'ClusterIP'));
  assert.equal(cluster.spec!.ports![0]!.nodePort, undefined);
  assert.equal(cluster.spec!.externalTrafficPolicy, undefined);
  assert.deepEqual(texts(service.validate!(cluster)), []);
  const external = updated(service, old, (object) => Object.assign(object.spec!, { type: 'ExternalName', externalName: 'a.example.com' }));
  assert.deepEqual([external.spec!.clusterIP, external.spec!.clusterIPs], [undefined, undefined]);
  assert.deepEqual(texts(service.validate!(external)), []);
});

test('the address of a service never changes', () => {
  const refused = updateRefusals(service, allocated(), (object) => (object.spec!.clusterIP = '10.100.0.10'));
  assert.deepEqual(refused, ['spec.clusterIPs[0]: Invalid value: ["10.100.0.10"]: may not change once set']);
});

test('a bound claim may grow and nothing else', () => {
  const rules = rulesOf<PersistentVolumeClaim>('persistentvolumeclaims');
  const bound: PersistentVolumeClaim = {
    ...created(rules, sampleOf<PersistentVolumeClaim>('persistentvolumeclaims')),
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  };
  const resize = (storage: string) => updateRefusals(rules, bound, (claim) => (claim.spec!.resources = { requests: { storage } }));
  assert.deepEqual(resize('2Gi'), []);
  assert.deepEqual(resize('512Mi'), ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity']);
  const [refused] = updateRefusals(rules, bound, (claim) => (claim.spec!.accessModes = ['ReadWriteMany']));
  assert.match(
    refused!,
    /^spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims\n/,
  );
});

test('a namespace has its name as a label, its finalizer, and a phase that fits', () => {
  const rules = rulesOf<Namespace>('namespaces');
  const namespace = created(rules, sampleOf<Namespace>('namespaces'));
  assert.deepEqual(namespace.metadata.labels, { 'kubernetes.io/metadata.name': 'web' });
  assert.deepEqual([namespace.spec, namespace.status], [{ finalizers: ['kubernetes'] }, { phase: 'Active' }]);
  assert.deepEqual(
    statusRefusals(rules, namespace, (object) => (object.status = { phase: 'Terminating' })),
    ['status.phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty'],
  );
});

test('a request is in the name of who makes it', () => {
  const request = created(
    rulesOf<KubeObject & { spec: object }>('certificatesigningrequests'),
    sampleOf('certificatesigningrequests'),
    set('spec.username', 'root') as never,
  );
  assert.equal((request.spec as { username: string }).username, 'alice');
});

test('kubectl shows nodes with roles, state and addresses', () => {
  const node: Node = {
    metadata: {
      name: 'n',
      creationTimestamp: '2026-01-01T12:00:00Z',
      labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'edge' },
    },
    spec: { unschedulable: true },
    status: { conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address: '10.0.0.4' }] },
  };
  assert.deepEqual(cells(rulesOf<Node>('nodes'), node), [
    'n',
    'Ready,SchedulingDisabled',
    'edge,worker',
    '24h',
    '',
    '10.0.0.4',
    '<none>',
    '<unknown>',
    '<unknown>',
    '<unknown>',
  ]);
});
