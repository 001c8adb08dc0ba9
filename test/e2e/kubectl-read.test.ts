// The real kubectl reads: every output form of get, watches, describe, explain, discovery, raw paths, metrics and events.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { machineKubectl } from '#root/test/support/kubectl.ts';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
let shop: Awaited<ReturnType<KubectlCluster['namespace']>>;
before(async () => {
  kube = await startKubectlCluster();
  shop = await kube.namespace('shop');
  await shop.ok('run', 'nginx', '--image=nginx', '--labels=app=nginx,tier=front');
  await shop.ok('create', 'deployment', 'web', '--image=nginx', '--replicas=3', '--port=80');
  assert.match(await shop.ok('rollout', 'status', 'deployment/web', '--timeout=20s'), /deployment "web" successfully rolled out/);
  await shop.ok('wait', '--for=condition=Ready', 'pod/nginx', '--timeout=20s');
});
after(() => kube?.stop());

test('get prints tables: plain, wide, of several kinds, of all namespaces, with labels', async () => {
  assert.match(
    await shop.ok('get', 'pods'),
    /^NAME +READY +STATUS +RESTARTS +AGE\nnginx +1\/1 +Running +0 +\d+s\nweb-[a-z0-9]+-[a-z0-9]{5} +1\/1 +Running/,
  );
  assert.match(
    await shop.ok('get', 'pods', '-o', 'wide'),
    /IP +NODE +NOMINATED NODE +READINESS GATES\nnginx .* 10\.\d+\.\d+\.\d+ +node-[12] +<none> +<none>\n/,
  );
  assert.match(
    await shop.ok('get', 'deployments,replicasets', '-o', 'wide'),
    /deployment.apps\/web +3\/3 +3 +3 +\d+s +nginx +nginx +app=web\n[^]*replicaset.apps\/web-\w+ +3 +3 +3/,
  );
  assert.match(
    await kube.ok('get', 'all', '--all-namespaces'),
    /shop +pod\/nginx[^]*shop +deployment.apps\/web[^]*shop +replicaset.apps\/web-/,
  );
  assert.match(await kube.ok('get', 'nodes', '-o', 'wide'), /node-1 +Ready +<none> +\d+m?s? +v1\.36\.0\+keks .*simulated:\/\//);
  assert.match(await shop.ok('get', 'pods', '--show-labels'), /nginx .* app=nginx,tier=front\n/);
  assert.match(await shop.ok('get', 'pods', '-l', 'app=nginx', '-L', 'tier', '--no-headers'), /^nginx +1\/1 +Running +0 +\d+s +front\n$/);
  assert.equal((await shop.run('get', 'pods', '-l', 'app=none')).stderr, 'No resources found in shop namespace.\n');
});

test('get prints objects: yaml, json, name, jsonpath, go-template, custom columns', async () => {
  assert.match(await shop.ok('get', 'pod', 'nginx', '-o', 'yaml'), /^apiVersion: v1\nkind: Pod\nmetadata:\n[^]*\n {2}phase: Running\n/);
  const pod = JSON.parse(await shop.ok('get', 'pod/nginx', '-o', 'json'));
  assert.deepEqual([pod.kind, pod.metadata.name, pod.spec.containers[0].image, pod.status.phase], ['Pod', 'nginx', 'nginx', 'Running']);
  assert.equal(await shop.ok('get', 'pods', '-l', 'tier', '-o', 'name'), 'pod/nginx\n');
  assert.equal(await shop.ok('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas} {.status.readyReplicas}'), '3 3');
  assert.equal(await shop.ok('get', 'pods', '-o', 'go-template={{len .items}}'), '4');
  const columns = 'custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image';
  assert.equal(await shop.ok('get', 'pod', 'nginx', '-o', columns), 'NAME    IMAGE\nnginx   nginx\n');
});

test('get selects, sorts and pages', async () => {
  const names = async (...args: string[]) => (await shop.ok('get', 'pods', '-o', 'name', ...args)).trim().split('\n');
  const all = await names();
  assert.deepEqual(
    await names('--field-selector', 'metadata.name!=nginx,status.phase=Running'),
    all.filter((name) => name !== 'pod/nginx'),
  );
  assert.deepEqual(await names('--chunk-size=1'), all);
  assert.deepEqual(await names('--sort-by=.metadata.labels.tier', '-l', 'app in (nginx)'), ['pod/nginx']);
  assert.deepEqual(await names('-l', 'app notin (web),tier!=back'), ['pod/nginx']);
  const onNode = await kube.ok('get', 'pods', '-A', '--field-selector', 'spec.nodeName=node-1', '-o', 'jsonpath={.items[*].spec.nodeName}');
  assert.deepEqual([...new Set(onNode.split(' '))], ['node-1']);
});

test('get --watch follows additions, changes and deletions', async () => {
  const watch = shop.run('get', 'configmaps', '--watch', '--output-watch-events', { until: (output) => /DELETED/.test(output) });
  const onlyNew = shop.run('get', 'configmaps', '--watch-only', '-o', 'jsonpath={.metadata.name}={.data.a} ', {
    until: (output) => /colours=3/.test(output),
  });
  const deletion = async () => {
    for (const value of ['1', '2', '3']) {
      const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'colours' }, data: { a: value } };
      await shop.ok('apply', '-f', '-', { input: JSON.stringify(map) });
    }
    return await shop.ok('delete', 'configmap', 'colours');
  };
  // Both follow from the moment they listed: keep changing until both have seen it.
  const stopped = new AbortController();
  const followed = Promise.all([watch, onlyNew]).finally(() => stopped.abort());
  while (!stopped.signal.aborted) await deletion();
  const [{ stdout }, changes] = await followed;
  assert.match(stdout, /^EVENT +NAME +DATA +AGE\nADDED +kube-root-ca\.crt +1 /);
  assert.match(stdout, /(ADDED|MODIFIED) +colours +1 .*\n(MODIFIED +colours .*\n)*DELETED +colours +1 /);
  assert.match(changes.stdout, /colours=3/);
  assert.doesNotMatch(changes.stdout, /kube-root-ca/);
});

test('describe tells of pods, nodes, deployments, services, claims and their events', async () => {
  const pod = await shop.ok('describe', 'pod', 'nginx');
  assert.match(
    pod,
    /Node: +node-[12]\/10\.\d+\.\d+\.\d+\n[^]*Status: +Running\n[^]*Image: +nginx\n[^]*State: +Running\n[^]*QoS Class: +BestEffort\n/,
  );
  assert.match(
    pod,
    /Normal +Scheduled .* default-scheduler +Successfully assigned shop\/nginx to node-[12]\n[^]*Pulling image "nginx"\n[^]*Successfully pulled image "nginx" in/,
  );
  assert.match(
    await kube.ok('describe', 'node', 'node-1'),
    /Ready +True .*KubeletReady +kubelet is posting ready status\n[^]*Capacity:\n +cpu: +4\n[^]*Non-terminated Pods: +\(\d in total\)[^]*Node node-1 status is now: NodeReady/,
  );
  assert.match(
    await shop.ok('describe', 'deployment', 'web'),
    /Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable\n[^]*Progressing +True +NewReplicaSetAvailable\n[^]*Scaled up replica set web-\w+ from 0 to 3/,
  );
  await shop.ok('expose', 'deployment', 'web', '--port=80');
  await shop.ok(
    'wait',
    '--for=jsonpath={.endpoints[2].addresses[0]}',
    'endpointslice',
    '-l',
    'kubernetes.io/service-name=web',
    '--timeout=10s',
  );
  assert.match(
    await shop.ok('describe', 'service', 'web'),
    /Selector: +app=web\nType: +ClusterIP\n[^]*IP: +10\.100\.\d+\.\d+\n[^]*Endpoints: +10\.[\d.]+:80,10\.[\d.]+:80,10\.[\d.]+:80\n/,
  );
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  await shop.ok('create', '-f', '-', { input: JSON.stringify(claim) });
  await shop.ok('wait', '--for=jsonpath={.status.phase}=Bound', 'pvc/data', '--timeout=10s');
  assert.match(
    await shop.ok('describe', 'pvc', 'data'),
    /StorageClass: +keks-local\nStatus: +Bound\nVolume: +pvc-[-0-9a-f]{36}\n[^]*Capacity: +1Gi\nAccess Modes: +RWO\n[^]*ProvisioningSucceeded/,
  );
  for (const what of [
    'replicaset',
    'namespace/shop',
    'configmap/kube-root-ca.crt',
    'serviceaccount/default',
    'endpointslices',
    'storageclass',
    'clusterrole/view',
    'priorityclass/system-node-critical',
  ])
    assert.match(await shop.ok('describe', ...what.split('/')), /^Name:/);
});

test('discovery: api-resources, api-versions, explain, version, cluster-info', async () => {
  assert.match(await kube.ok('api-resources'), /pods +po +v1 +true +Pod\n[^]*deployments +deploy +apps\/v1 +true +Deployment\n/);
  assert.match(await kube.ok('api-resources', '--namespaced=false', '--verbs=list', '-o', 'name'), /^(namespaces|nodes)\n/m);
  assert.match(await kube.ok('api-versions'), /^apps\/v1\n[^]*\nv1\n$/);
  assert.match(await kube.ok('explain', 'pod.spec.containers.image'), /^KIND: +Pod\nVERSION: +v1\n\nFIELD: image <string>\n/);
  assert.match(
    await kube.ok('explain', 'deployment.spec.strategy', '--recursive'),
    /rollingUpdate\t<RollingUpdateDeployment>\n +maxSurge\t<IntOrString>/,
  );
  assert.match(await kube.fails('explain', 'pod.spec.nope'), /error: field "nope" does not exist/);
  assert.match(await kube.ok('version'), /Server Version: v1\.36\.0\+keks\n/);
  assert.match(await kube.ok('cluster-info'), /Kubernetes control plane is running at https:\/\/127\.0\.0\.1:\d+\n/);
});

test('raw paths', async () => {
  assert.equal(JSON.parse(await kube.ok('get', '--raw', '/api/v1/namespaces/shop/pods?limit=1')).items.length, 1);
  assert.equal(await kube.ok('get', '--raw', '/healthz'), 'ok');
  assert.match(await kube.ok('get', '--raw', '/readyz?verbose'), /^\[\+\]ping ok\n[^]*readyz check passed\n$/);
  assert.match(await kube.ok('get', '--raw', '/metrics'), /apiserver_request_total\{/);
  assert.match(
    await kube.fails('get', '--raw', '/nope'),
    /^Error from server \(NotFound\): the server could not find the requested resource\n$/,
  );
});

test('top and events', async () => {
  assert.match(await kube.ok('top', 'nodes'), /NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\) *\nnode-1 +\d+m +\d+%/);
  assert.match(await shop.ok('top', 'pods', '--containers'), /POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\nnginx +nginx +\d+m +\d+Mi/);
  assert.match(
    await shop.ok('get', 'events', '--sort-by=.metadata.creationTimestamp'),
    /Normal +Scheduled +pod\/nginx +Successfully assigned shop\/nginx/,
  );
  assert.match(
    await shop.ok('events', '--for', 'pod/nginx'),
    /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n[^]*Started +Pod\/nginx +Container started\n$/,
  );
});

test('an older kubectl reads the same cluster', { skip: machineKubectl === undefined && 'no other kubectl here' }, async () => {
  const older = { program: machineKubectl! };
  assert.match(await shop.ok('get', 'pods,deployments', older), /pod\/nginx +1\/1 +Running[^]*deployment.apps\/web +3\/3/);
  assert.match(await shop.ok('describe', 'pod', 'nginx', older), /Successfully assigned shop\/nginx/);
  assert.match(await kube.ok('explain', 'deployment.spec.replicas', older), /FIELD: replicas <integer>/);
  assert.match(await kube.ok('top', 'nodes', older), /node-1/);
});

test('what is not there is said', async () => {
  assert.equal(await shop.fails('get', 'pod', 'none'), 'Error from server (NotFound): pods "none" not found\n');
  assert.equal(await shop.fails('get', 'gizmos'), 'error: the server doesn\'t have a resource type "gizmos"\n');
  const { code, stdout, stderr } = await shop.run('get', 'pods', 'nginx', 'none');
  assert.deepEqual([code, stderr], [1, 'Error from server (NotFound): pods "none" not found\n']);
  assert.match(stdout, /nginx +1\/1/);
  assert.match(
    await shop.fails('get', 'pods', '--field-selector', 'foo=bar'),
    /^Error from server \(BadRequest\): Unable to find "\/v1, Resource=pods" that match label selector "", field selector "foo=bar": field label not supported: foo\n$/,
  );
  assert.match(
    await shop.fails('get', 'pods', '-l', 'a in (b'),
    /unable to parse requirement: found '', expected: ',', '\)' or identifier\n$/,
  );
});
