// The real kubectl runs workloads on simulated nodes: run, logs, scale, set, rollout, drain, and images that do not exist.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { deployments, pods } from '#api/generated/resources.ts';
import { eventually } from '#root/src/testing/eventually.ts';
import type { KubectlCluster } from '#root/test/support/kubectl-cluster.ts';
import { startKubectlCluster } from '#root/test/support/kubectl-cluster.ts';

let kube: KubectlCluster;
before(async () => {
  kube = await startKubectlCluster();
});
after(() => kube?.stop());

test('run, logs, exec, attach and port-forward: what a simulated container cannot do is said', async () => {
  const { ok, fails, run } = await kube.namespace('running');
  assert.equal(await ok('run', 'nginx', '--image=nginx', '--port=80'), 'pod/nginx created\n');
  await ok('wait', '--for=condition=Ready', 'pod/nginx', '--timeout=20s');
  const line = 'simulated: no process runs in this container';
  assert.equal(await ok('logs', 'nginx'), `${line}\n`);
  assert.equal(await ok('logs', 'nginx', '-c', 'nginx', '--tail=1', '--since=1h'), `${line}\n`);
  assert.equal(await ok('logs', 'nginx', '--tail=0'), '');
  assert.match(await ok('logs', 'nginx', '--timestamps'), new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z ${line}\n$`));
  assert.equal(await ok('logs', '-l', 'run=nginx', '--prefix'), `[pod/nginx/nginx] ${line}\n`);
  assert.match(await fails('logs', 'nginx', '-c', 'none'), /error: container none is not valid for pod nginx\n/);
  assert.match(await fails('logs', 'nginx', '-p'), /\(BadRequest\): previous terminated container "nginx" in pod "nginx" not found\n/);
  assert.match(await fails('logs', 'none'), /pods "none" not found/);

  const { code, stdout, stderr } = await run('exec', 'nginx', '--', 'date');
  assert.deepEqual([code, stdout, stderr], [126, '', `${line}\ncommand terminated with exit code 126\n`]);
  const attached = await run('attach', 'nginx', { until: (output) => output.includes(line) });
  assert.ok(attached.stderr.endsWith(`${line}\n`), attached.stderr);
  const forwarded = await run('port-forward', 'pod/nginx', ':80', {
    until: (output) => {
      const port = /127\.0\.0\.1:(\d+) -> 80\n/.exec(output)?.[1];
      if (port !== undefined && !output.includes('Handling'))
        connect(Number(port), '127.0.0.1')
          .on('error', () => {})
          .end('GET / HTTP/1.0\r\n\r\n');
      return output.includes('so nothing listens on its ports');
    },
  });
  assert.match(
    forwarded.stderr,
    /error forwarding port 80 to pod nginx, uid [-0-9a-f]{36}: simulated: no process runs in this container, so nothing listens on its ports/,
  );
});

test('logs -f ends with the container; a finished pod tells how it ended', async () => {
  const { ok, fails } = await kube.namespace('finishing');
  await ok('run', 'short', '--image=busybox', '--restart=Never', '--', 'sleep', '1');
  await ok('wait', '--for=jsonpath={.status.phase}=Running', 'pod/short', '--timeout=10s');
  assert.equal(await ok('logs', '-f', 'short'), 'simulated: no process runs in this container\nsimulated: exited with code 0\n');
  assert.match(await ok('get', 'pod', 'short'), /short +0\/1 +Completed +0/);
  await ok('run', 'broken', '--image=busybox', '--restart=Never', '--', 'false');
  await ok('wait', '--for=jsonpath={.status.phase}=Failed', 'pod/broken', '--timeout=10s');
  assert.match(await ok('get', 'pod', 'broken'), /broken +0\/1 +Error +0/);
  assert.match(await ok('describe', 'pod', 'broken'), /State: +Terminated\n +Reason: +Error\n +Exit Code: +1\n/);
  assert.match(await ok('run', 'once', '--image=busybox', '--restart=Never', '--rm', '-i', '--quiet', '--', 'true'), /simulated/);
  assert.match(await fails('get', 'pod', 'once'), /NotFound/);
});

test('a container that restarts has a previous log', async () => {
  const { ok } = await kube.namespace('restarting');
  await ok('run', 'again', '--image=busybox', '--', 'sh', '-c', 'sleep 0.2; exit 3');
  await eventually(kube.client, pods, { namespace: 'restarting' }, ([pod]) =>
    assert.equal(pod?.status?.containerStatuses?.[0]?.restartCount, 1),
  );
  assert.match(await ok('logs', 'again', '-p'), /simulated: exited with code 3\n/);
  assert.match(await ok('describe', 'pod', 'again'), /Last State: +Terminated\n +Reason: +Error\n +Exit Code: +3\n/);
});

test('an image that does not exist: ErrImagePull, then ImagePullBackOff', async () => {
  const { ok } = await kube.namespace('pulling');
  const watched = kube.client.watch(pods, { namespace: 'pulling' }, (events) => {
    for (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      const reason = event.object.status?.containerStatuses?.[0]?.state?.waiting?.reason;
      if (reason !== undefined && reasons.at(-1) !== reason) reasons.push(reason);
    }
  });
  const reasons: string[] = [];
  await ok('run', 'bad', '--image=nginx:does-not-exist');
  await eventually(kube.client, pods, { namespace: 'pulling' }, () => assert.ok(reasons.includes('ImagePullBackOff')));
  watched.close();
  assert.deepEqual(reasons.filter((reason) => reason !== 'ContainerCreating').slice(0, 2), ['ErrImagePull', 'ImagePullBackOff']);
  assert.match(await ok('get', 'pod', 'bad'), /bad +0\/1 +(ImagePullBackOff|ErrImagePull) +0/);
  assert.match(
    await ok('describe', 'pod', 'bad'),
    /Warning +Failed .*Failed to pull image "nginx:does-not-exist": failed to pull and unpack image "docker.io\/library\/nginx:does-not-exist": failed to resolve reference "docker.io\/library\/nginx:does-not-exist": docker.io\/library\/nginx:does-not-exist: not found\n[^]*Error: ErrImagePull\n[^]*Back-off pulling image "nginx:does-not-exist"[^]*Error: ImagePullBackOff/,
  );
  assert.match(
    await ok('logs', 'bad').catch((error: Error) => error.message),
    /container "bad" in pod "bad" is waiting to start: (trying and failing to pull image|image can't be pulled)/,
  );
});

test('a deployment is scaled, changed, rolled back, paused and restarted', async () => {
  const { ok, fails } = await kube.namespace('rolling');
  const rolledOut = async () => assert.match(await ok('rollout', 'status', 'deployment/web', '--timeout=30s'), /successfully rolled out/);
  assert.equal(await ok('create', 'deployment', 'web', '--image=nginx:1', '--replicas=2'), 'deployment.apps/web created\n');
  await rolledOut();
  assert.equal(await fails('scale', 'deployment/web', '--replicas=5', '--current-replicas=7'), 'error: Expected replicas to be 7, was 2\n');
  assert.equal(await ok('scale', 'deployment/web', '--replicas=3', '--current-replicas=2'), 'deployment.apps/web scaled\n');
  assert.equal(await ok('set', 'image', 'deployment/web', 'nginx=nginx:2'), 'deployment.apps/web image updated\n');
  await ok('annotate', 'deployment/web', 'kubernetes.io/change-cause=second');
  await rolledOut();
  await eventually(kube.client, pods, { namespace: 'rolling' }, (all) =>
    assert.deepEqual(
      all.map((pod) => pod.spec?.containers[0]?.image),
      ['nginx:2', 'nginx:2', 'nginx:2'],
    ),
  );
  assert.match(await ok('rollout', 'history', 'deployment/web'), /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +second\n/);
  assert.match(await ok('rollout', 'history', 'deployment/web', '--revision=1'), /Image:\tnginx:1\n/);
  assert.equal(
    await fails('rollout', 'undo', 'deployment/web', '--to-revision=9'),
    'error: unable to find specified revision 9 in history\n',
  );
  assert.equal(await ok('rollout', 'undo', 'deployment/web'), 'deployment.apps/web rolled back\n');
  await rolledOut();
  await eventually(kube.client, pods, { namespace: 'rolling' }, (all) =>
    assert.deepEqual(
      all.map((pod) => pod.spec?.containers[0]?.image),
      ['nginx:1', 'nginx:1', 'nginx:1'],
    ),
  );
  assert.match(await ok('rollout', 'history', 'deployment/web'), /REVISION +CHANGE-CAUSE\n2 +second\n3 +/);

  assert.equal(await ok('rollout', 'pause', 'deployment/web'), 'deployment.apps/web paused\n');
  assert.equal(await fails('rollout', 'pause', 'deployment/web'), 'error: deployments.apps "web" is already paused\n');
  assert.equal(await ok('set', 'env', 'deployment/web', 'COLOUR=red'), 'deployment.apps/web env updated\n');
  assert.match(await fails('rollout', 'status', 'deployment/web', '--timeout=1s'), /error: timed out waiting for the condition/);
  assert.equal(await ok('rollout', 'resume', 'deployment/web'), 'deployment.apps/web resumed\n');
  await rolledOut();
  assert.equal(await ok('set', 'env', 'deployment/web', '--list'), '# Deployment web, container nginx\nCOLOUR=red\n');
  assert.equal(
    await ok('set', 'resources', 'deployment/web', '--limits=cpu=200m,memory=64Mi'),
    'deployment.apps/web resource requirements updated\n',
  );
  await ok('create', 'serviceaccount', 'robot');
  assert.equal(await ok('set', 'serviceaccount', 'deployment/web', 'robot'), 'deployment.apps/web serviceaccount updated\n');
  assert.equal(await ok('rollout', 'restart', 'deployment/web'), 'deployment.apps/web restarted\n');
  await rolledOut();
  await eventually(kube.client, deployments, { namespace: 'rolling' }, ([web]) => {
    const { template } = web!.spec!;
    assert.equal(template.spec?.serviceAccountName, 'robot');
    assert.deepEqual(template.spec?.containers[0]?.resources?.limits, { cpu: '200m', memory: '64Mi' });
    assert.ok(template.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt']);
    assert.equal(web!.status?.availableReplicas, 3);
  });
});

test('a service follows its selector', async () => {
  const { ok } = await kube.namespace('serving');
  await ok('run', 'red', '--image=nginx', '--labels=app=red', '--port=80', '--expose');
  await ok('wait', '--for=condition=Ready', 'pod/red', '--timeout=10s');
  const address = await ok('get', 'pod', 'red', '-o', 'jsonpath={.status.podIP}');
  await ok(
    'wait',
    `--for=jsonpath={.endpoints[0].addresses[0]}=${address}`,
    'endpointslice',
    '-l',
    'kubernetes.io/service-name=red',
    '--timeout=10s',
  );
  assert.equal(await ok('set', 'selector', 'service', 'red', 'app=blue'), 'service/red selector updated\n');
  await ok('wait', '--for=jsonpath={.endpoints}=[]', 'endpointslice', '-l', 'kubernetes.io/service-name=red', '--timeout=10s').catch(
    () => undefined,
  );
  assert.match(await ok('get', 'endpointslices'), /red-\w+ +IPv4 +<unset> +<unset>/);
});

test('labels, annotations, taints; cordon, drain and uncordon', async () => {
  const { ok, fails, run } = await kube.namespace('tending');
  await ok('run', 'alone', '--image=nginx', '--overrides={"spec":{"nodeName":"node-1"}}');
  await ok('wait', '--for=condition=Ready', 'pod/alone', '--timeout=10s');
  assert.equal(await ok('label', 'pod', 'alone', 'a=b'), 'pod/alone labeled\n');
  assert.equal(await fails('label', 'pod', 'alone', 'a=c'), "error: 'a' already has a value (b), and --overwrite is false\n");
  assert.equal(await ok('label', 'pod', 'alone', 'a=c', '--overwrite'), 'pod/alone labeled\n');
  assert.equal(await ok('label', 'pods', '--all', 'a-'), 'pod/alone unlabeled\n');
  assert.equal(await ok('annotate', 'pod', 'alone', 'note=hello world'), 'pod/alone annotated\n');
  assert.match(
    await fails('label', 'pod', 'alone', 'bad key=1'),
    /^The Pod "alone" is invalid: metadata.labels: Invalid value: "bad key": name part must consist of/,
  );
  assert.equal(await ok('taint', 'node', 'node-2', 'team=a:NoSchedule'), 'node/node-2 tainted\n');
  assert.match(await ok('describe', 'node', 'node-2'), /Taints: +team=a:NoSchedule\n/);
  assert.equal(await ok('taint', 'node', 'node-2', 'team-'), 'node/node-2 untainted\n');

  assert.equal(await ok('cordon', 'node-1'), 'node/node-1 cordoned\n');
  assert.match(await ok('get', 'nodes'), /node-1 +Ready,SchedulingDisabled/);
  assert.match(
    await fails('drain', 'node-1'),
    /cannot delete .*Pods that declare no controller \(use --force to override\): .*tending\/alone/,
  );
  const { code, stdout } = await run('drain', 'node-1', '--force', '--timeout=30s', '--pod-selector=run=alone');
  assert.deepEqual([code, stdout.includes('pod/alone evicted'), stdout.endsWith('node/node-1 drained\n')], [0, true, true]);
  assert.match(await fails('get', 'pod', 'alone'), /NotFound/);
  assert.equal(await ok('uncordon', 'node-1'), 'node/node-1 uncordoned\n');
});

test('wait for conditions, fields, creation and deletion', async () => {
  const { ok, fails } = await kube.namespace('waiting');
  const created = ok('wait', '--for=create', 'pod/later', '--timeout=20s');
  await ok('run', 'later', '--image=nginx');
  assert.equal(await created, 'pod/later condition met\n');
  assert.equal(await ok('wait', '--for=condition=Ready', 'pod/later', '--timeout=20s'), 'pod/later condition met\n');
  assert.equal(await ok('wait', '--for=jsonpath={.status.phase}=Running', 'pod/later'), 'pod/later condition met\n');
  assert.equal(
    await fails('wait', '--for=condition=Nope', 'pod/later', '--timeout=1s'),
    'error: timed out waiting for the condition on pods/later\n',
  );
  const deleted = ok('wait', '--for=delete', 'pod/later', '--timeout=20s');
  await ok('delete', 'pod', 'later');
  await deleted;
});
