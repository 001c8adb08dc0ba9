// One plain, valid object of each kind, as a client would write it.
import type { KubeObject } from '#api/meta/object.ts';

const metadata = { name: 'web', namespace: 'default' };
const clusterMetadata = { name: 'web' };
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'nginx' }] } };
const oneTimeTemplate = { spec: { restartPolicy: 'Never', containers: [{ name: 'web', image: 'busybox' }] } };
const selector = { matchLabels: { app: 'web' } };
const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const subjects = [{ kind: 'User', name: 'alice' }];

/** A certificate signing request for CN=alice, made with openssl. */
export const REQUEST_PEM = `-----BEGIN CERTIFICATE REQUEST-----
MIHKMHICAQAwEDEOMAwGA1UEAwwFYWxpY2UwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAAQXvp+ZnWE6/Atqg6Qm0sYjS9pz9kt8Tv0QKRuY2GxJdYon/l/OancACMHG
Is/1kbBX/Y0wZm1gmWlz16LdUEZgoAAwCgYIKoZIzj0EAwIDSAAwRQIhAJFU5UxP
Ld7i0FvX2/Fd/vQM6Qxa/Z5zD1iU4loP10QuAiAApX2ECwF8y/x/Qegyzvv7xbfD
lJjaVDlUQMDGSRXmAQ==
-----END CERTIFICATE REQUEST-----
`;

export const samples: Record<string, KubeObject & Record<string, unknown>> = {
  namespaces: { metadata: clusterMetadata },
  nodes: { metadata: clusterMetadata, spec: { podCIDR: '10.1.0.0/24' }, status: { capacity: { cpu: '2', memory: '4Gi', pods: '17' } } },
  pods: { metadata, spec: { containers: [{ name: 'web', image: 'nginx' }] } },
  services: { metadata, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
  endpoints: { metadata, subsets: [{ addresses: [{ ip: '10.1.0.5' }], ports: [{ port: 80 }] }] },
  configmaps: { metadata, data: { 'nginx.conf': 'events {}' } },
  secrets: { metadata, stringData: { password: 'secret' } },
  serviceaccounts: { metadata },
  events: { metadata, involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' }, reason: 'Started', type: 'Normal' },
  limitranges: { metadata, spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '10m' } }] } },
  resourcequotas: { metadata, spec: { hard: { pods: '10', 'requests.cpu': '4', 'limits.memory': '8Gi', 'count/deployments.apps': '2' } } },
  persistentvolumes: {
    metadata: clusterMetadata,
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
  },
  persistentvolumeclaims: { metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  deployments: { metadata, spec: { selector, template } },
  replicasets: { metadata, spec: { selector, template } },
  daemonsets: { metadata, spec: { selector, template } },
  statefulsets: { metadata, spec: { serviceName: 'web', selector, template } },
  controllerrevisions: { metadata, data: { spec: {} }, revision: 1 },
  jobs: { metadata: { ...metadata, uid: 'a-b-c' }, spec: { template: oneTimeTemplate } },
  cronjobs: { metadata, spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: oneTimeTemplate } } } },
  podtemplates: { metadata, template },
  replicationcontrollers: { metadata, spec: { template } },
  endpointslices: { metadata, addressType: 'IPv4', endpoints: [{ addresses: ['10.1.0.5'] }], ports: [{ name: 'http', port: 80 }] },
  horizontalpodautoscalers: {
    metadata,
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' }, maxReplicas: 3 },
  },
  ingresses: {
    metadata,
    spec: {
      rules: [
        {
          host: 'web.example.com',
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
        },
      ],
    },
  },
  ingressclasses: { metadata: clusterMetadata, spec: { controller: 'example.com/ingress' } },
  runtimeclasses: { metadata: clusterMetadata, handler: 'runsc', overhead: { podFixed: { memory: '64Mi' } } },
  poddisruptionbudgets: { metadata, spec: { minAvailable: '50%', selector } },
  leases: { metadata, spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } },
  roles: { metadata, rules: [rule] },
  clusterroles: { metadata: clusterMetadata, rules: [rule, { verbs: ['get'], nonResourceURLs: ['/metrics'] }] },
  rolebindings: { metadata, roleRef: { kind: 'Role', name: 'web' }, subjects },
  clusterrolebindings: { metadata: clusterMetadata, roleRef: { kind: 'ClusterRole', name: 'web' }, subjects },
  storageclasses: { metadata: clusterMetadata, provisioner: 'ebs.csi.aws.com' },
  priorityclasses: { metadata: clusterMetadata, value: 1000 },
  certificatesigningrequests: {
    metadata: clusterMetadata,
    spec: {
      request: Buffer.from(REQUEST_PEM).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
    },
  },
};

const fullPodSpec = {
  nodeName: 'node-1',
  hostNetwork: false,
  nodeSelector: { 'beta.kubernetes.io/os': 'linux' },
  securityContext: {
    runAsUser: 1,
    fsGroup: 2,
    supplementalGroups: [3],
    sysctls: [{ name: 'net.core.somaxconn', value: '1' }],
    seccompProfile: { type: 'Localhost', localhostProfile: 'a' },
  },
  tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 3 }],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      minDomains: 1,
      labelSelector: selector,
      matchLabelKeys: ['app'],
    },
  ],
  readinessGates: [{ conditionType: 'example.com/ready' }],
  dnsConfig: { nameservers: ['10.0.0.10'], searches: ['a.b', '_x.y.'], options: [{ name: 'ndots', value: '2' }] },
  hostAliases: [{ ip: '10.1.1.1', hostnames: ['a.b'] }],
  imagePullSecrets: [{ name: 'a' }],
  overhead: { cpu: '1m' },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }],
            matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }],
          },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
      ],
    },
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: selector, namespaces: ['default'], matchLabelKeys: ['app'] },
      ],
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'zone', labelSelector: selector } }],
    },
  },
  initContainers: [{ name: 'init', image: 'busybox', restartPolicy: 'Always', startupProbe: { exec: { command: ['true'] } } }],
  containers: [
    {
      name: 'web',
      image: 'nginx',
      ports: [{ name: 'http', containerPort: 80, hostPort: 80 }],
      env: [
        { name: 'A', value: 'b' },
        { name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        { name: 'C', valueFrom: { configMapKeyRef: { name: 'a', key: 'b' } } },
        { name: 'D', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } },
      ],
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'a' } }, { secretRef: { name: 'a' } }],
      resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '1Gi', 'example.com/gpu': '1' } },
      volumeMounts: [
        { name: 'data', mountPath: '/data', subPath: 'a' },
        { name: 'files', mountPath: '/files', readOnly: true, recursiveReadOnly: 'Enabled' },
      ],
      volumeDevices: [{ name: 'claim', devicePath: '/dev/x' }],
      livenessProbe: { httpGet: { port: 'http', httpHeaders: [{ name: 'X-A', value: 'b' }] } },
      readinessProbe: { tcpSocket: { port: 80 } },
      startupProbe: { grpc: { port: 80 } },
      lifecycle: { preStop: { sleep: { seconds: 1 } }, postStart: { exec: { command: ['true'] } } },
      securityContext: {
        runAsUser: 1,
        capabilities: { add: ['NET_ADMIN'] },
        appArmorProfile: { type: 'Localhost', localhostProfile: 'a' },
        procMount: 'Default',
      },
    },
  ],
  volumes: [
    { name: 'data' },
    { name: 'claim', persistentVolumeClaim: { claimName: 'a' } },
    { name: 'host', hostPath: { path: '/a', type: 'Directory' } },
    {
      name: 'scratch',
      ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } },
    },
    { name: 'image', image: { reference: 'nginx' } },
    { name: 'nfs', nfs: { server: 'a', path: '/b' } },
    { name: 'config', configMap: { name: 'a', items: [{ key: 'a', path: 'b', mode: 0o600 }] } },
    {
      name: 'files',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { secret: { name: 'a', items: [{ key: 'a', path: 'a' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
        ],
      },
    },
  ],
};

/** Objects of some kinds with nearly every field that rules look at. */
export const full: Record<string, Record<string, unknown>> = {
  pods: {
    metadata: { ...metadata, labels: { app: 'web' } },
    spec: fullPodSpec,
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [
        {
          name: 'web',
          ready: true,
          restartCount: 1,
          image: 'nginx',
          imageID: '',
          state: { running: {} },
          lastState: { terminated: { exitCode: 1 } },
        },
      ],
    },
  },
  deployments: {
    spec: {
      selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] },
      template: { ...template, spec: fullPodSpec },
    },
  },
  daemonsets: {
    spec: { selector, template, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%', maxSurge: 0 } } },
    status: { desiredNumberScheduled: 1, collisionCount: 1 },
  },
  statefulsets: {
    spec: {
      selector,
      template,
      serviceName: 'web',
      ordinals: { start: 1 },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      volumeClaimTemplates: [
        { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      ],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
    },
    status: { replicas: 1, readyReplicas: 1, collisionCount: 1 },
  },
  jobs: {
    spec: {
      completions: 3,
      parallelism: 2,
      completionMode: 'Indexed',
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 2,
      managedBy: 'example.com/queue',
      podReplacementPolicy: 'Failed',
      successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: { containerName: 'web', operator: 'In', values: [1, 2] } },
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
        ],
      },
      template: oneTimeTemplate,
    },
    status: {
      startTime: '2026-01-01T00:00:00Z',
      completedIndexes: '0',
      failedIndexes: '1',
      uncountedTerminatedPods: { succeeded: ['a'], failed: ['b'] },
      conditions: [{ type: 'SuccessCriteriaMet', status: 'True' }],
    },
  },
  cronjobs: {
    spec: {
      schedule: '@daily',
      timeZone: 'Europe/Berlin',
      jobTemplate: { metadata: { labels: { app: 'web' } }, spec: { template: oneTimeTemplate } },
    },
    status: { active: [{ name: 'a' }], lastScheduleTime: '2026-01-01T00:00:00Z' },
  },
  services: {
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ipFamilies: ['IPv4'],
      ports: [
        { name: 'a', port: 80, nodePort: 30000 },
        { name: 'b', port: 81 },
      ],
      sessionAffinity: 'ClientIP',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      externalIPs: ['1.2.3.4'],
    },
    status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
  },
  nodes: {
    spec: { podCIDRs: ['10.1.0.0/24'], taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }], providerID: 'aws:///a' },
    status: {
      capacity: { cpu: '1' },
      addresses: [{ type: 'InternalIP', address: '10.1.1.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  },
  storageclasses: { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }], parameters: { a: 'b' } },
  persistentvolumes: {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      local: { path: '/a' },
      claimRef: { namespace: 'a', name: 'b' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] } },
    },
  },
};
