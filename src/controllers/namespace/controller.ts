// The namespace controller: empties a namespace that is being deleted, pods first, then lets it go.
import { isPodTerminal } from '#api/core/pod-state.ts';
import type { Namespace, Pod } from '#api/generated/core-v1.ts';
import { namespaces, pods } from '#api/generated/resources.ts';
import { isNotFound, isReason } from '#api/meta/errors.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import { refOf, keyOf } from '#api/meta/object.ts';
import type { Controller, ControllerContext } from '../runtime/controller.ts';
import { saysTheSame } from '../runtime/equality.ts';
import { messageOf } from '../runtime/failures.ts';
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts';
import type { Outcome } from '../runtime/reconciler.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';
import type { Findings } from './conditions.ts';
import { conditionsAfter } from './conditions.ts';

const finalizer = 'kubernetes';
/** How long a namespace waits for more objects to be deleted before it looks again, where nothing says how long they need. */
const recheckMs = 5000;

export const namespaceController: Controller = {
  name: 'namespace',
  serviceAccount: 'namespace-controller',
  start(context) {
    const spaces = context.informers.informer(namespaces);
    const reconciler = startReconciler(context, {
      name: 'namespace',
      waitFor: [spaces],
      workers: 10,
      reconcile: (name) => reconcile(context, spaces.get(name)),
    });
    const enqueue = (namespace: Namespace): void => {
      if (namespace.metadata.deletionTimestamp !== undefined) reconciler.enqueue(namespace.metadata.name!);
    };
    const podInformer = context.informers.informer(pods);
    podInformer.addIndex(byNamespace, namespaceIndex);
    const handlers = [
      spaces.addHandlers({ added: enqueue, updated: (_old, namespace) => enqueue(namespace) }),
      // The last pod is gone: what is left can go at once.
      podInformer.addHandlers({
        deleted(pod) {
          const namespace = spaces.get(pod.metadata.namespace!);
          if (namespace !== undefined && podInformer.countByIndex(byNamespace, namespace.metadata.name!) === 0) enqueue(namespace);
        },
      }),
    ];
    return stopTogether(handlers, [reconciler]);
  },
};

async function reconcile(context: ControllerContext, cached: Namespace | undefined): Promise<Outcome | undefined> {
  if (cached?.metadata.deletionTimestamp === undefined || !cached.spec?.finalizers?.includes(finalizer)) return undefined;
  const { client } = context;
  const name = cached.metadata.name!;
  try {
    let namespace = await client.get(namespaces, { name });
    if (namespace.metadata.uid !== cached.metadata.uid || namespace.metadata.deletionTimestamp === undefined) return undefined;
    if (namespace.status?.phase !== 'Terminating') {
      namespace = await client.update(
        namespaces,
        { ...namespace, status: { ...namespace.status, phase: 'Terminating' } },
        { subresource: 'status' },
      );
    }
    const { findings, graceMs } = await deleteContent(context, name);
    const conditions = conditionsAfter(namespace.status?.conditions ?? [], findings, context.clock.now());
    if (!saysTheSame(conditions, namespace.status?.conditions)) {
      namespace = await client.update(namespaces, { ...namespace, status: { ...namespace.status, conditions } }, { subresource: 'status' });
    }
    if (findings.failures.length > 0) throw new Error(findings.failures.join(', '));
    if (findings.remaining.size > 0) return { requeueAfterMs: graceMs > 0 ? graceMs / 2 + 1000 : recheckMs };
    const finalizers = (namespace.spec?.finalizers ?? []).filter((other) => other !== finalizer);
    await client.update(namespaces, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: 'finalize' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return undefined;
}

interface Pass {
  findings: Findings;
  /** The longest grace period among the pods that remain. */
  graceMs: number;
}

/** Pods go first, so that none runs on after what it relies on (its network policy, its secrets) is gone. */
async function deleteContent(context: ControllerContext, namespace: string): Promise<Pass> {
  const pass: Pass = { findings: { failures: [], remaining: new Map(), finalizers: new Map() }, graceMs: 0 };
  const namespaced = context.resources.filter((resource) => resource.namespaced);
  const podResource = namespaced.filter(isPods);
  const others = namespaced.filter((resource) => !isPods(resource));
  await deleteAll(context, namespace, podResource, pass);
  const mustWait = pass.findings.remaining.size > 0 || pass.findings.failures.length > 0;
  if (!mustWait) await deleteAll(context, namespace, others, pass);
  return pass;
}

async function deleteAll(context: ControllerContext, namespace: string, resources: ResourceType[], pass: Pass): Promise<void> {
  for (const resource of resources) {
    try {
      tally(resource, await deleteAllOf(context, namespace, resource), pass);
    } catch (error) {
      pass.findings.failures.push(messageOf(error));
    }
  }
}

/** Answers what remains. */
async function deleteAllOf({ client }: ControllerContext, namespace: string, resource: ResourceType): Promise<KubeObject[]> {
  const before = await list(client, namespace, resource);
  if (before.length === 0) return [];
  try {
    await client.deleteCollection(resource, { namespace }, { propagationPolicy: 'Background' });
  } catch (error) {
    if (!isReason(error, 'MethodNotAllowed', 'NotFound')) throw error;
    for (const object of before) {
      await client.delete(resource, refOf(keyOf(object)), { propagationPolicy: 'Background' }).catch((failure: unknown) => {
        if (!isNotFound(failure)) throw failure;
      });
    }
  }
  return list(client, namespace, resource);
}

async function list(client: ControllerContext['client'], namespace: string, resource: ResourceType): Promise<KubeObject[]> {
  try {
    return (await client.list(resource, { namespace })).items;
  } catch (error) {
    // The resource is not served (any more), so it holds nothing.
    if (isReason(error, 'MethodNotAllowed', 'NotFound')) return [];
    throw error;
  }
}

function tally(resource: ResourceType, remaining: KubeObject[], pass: Pass): void {
  if (remaining.length === 0) return;
  const { findings } = pass;
  findings.remaining.set(`${resource.plural}.${resource.group}`, remaining.length);
  for (const object of remaining) {
    for (const name of object.metadata.finalizers ?? []) findings.finalizers.set(name, (findings.finalizers.get(name) ?? 0) + 1);
    if (isPods(resource)) pass.graceMs = Math.max(pass.graceMs, graceMsOf(object as Pod));
  }
}

function graceMsOf(pod: Pod): number {
  if (isPodTerminal(pod)) return 0;
  return (pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
}

function isPods(resource: ResourceType): boolean {
  return resource.group === pods.group && resource.plural === pods.plural;
}
