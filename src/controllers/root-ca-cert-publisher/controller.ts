// Puts the certificate by which pods recognise the API server into every namespace, as ConfigMap kube-root-ca.crt.
import { configmaps, namespaces } from '#api/generated/resources.ts';
import { isAlreadyExists } from '#api/meta/errors.ts';
import type { Controller } from '../runtime/controller.ts';
import { isNamespaceTerminating } from '../runtime/failures.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';

const name = 'kube-root-ca.crt';
const descriptionKey = 'kubernetes.io/description';
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

export const rootCaCertPublisher: Controller = {
  name: 'root-ca-cert-publisher',
  serviceAccount: 'root-ca-cert-publisher',
  start(context) {
    // A server that listens on no port has no certificate: the bundle is empty, but there, for every pod mounts it.
    const { rootCa = '', client } = context;
    const spaces = context.informers.informer(namespaces);
    const maps = context.informers.informer(configmaps, { fieldSelector: `metadata.name=${name}` });
    const reconciler = startReconciler(context, {
      name: 'root-ca-cert-publisher',
      waitFor: [spaces, maps],
      async reconcile(namespace) {
        const space = spaces.get(namespace);
        if (space === undefined || space.status?.phase === 'Terminating') return;
        const data = { 'ca.crt': rootCa };
        const current = maps.get(`${namespace}/${name}`);
        if (current === undefined) {
          const metadata = { namespace, name, annotations: { [descriptionKey]: description } };
          await client.create(configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }).catch((error: unknown) => {
            if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
          });
          return;
        }
        const isCurrent = current.data?.['ca.crt'] === rootCa && Object.keys(current.data).length === 1;
        if (isCurrent && current.metadata.annotations?.[descriptionKey] !== undefined) return;
        const annotations = { ...current.metadata.annotations, [descriptionKey]: description };
        await client.update(configmaps, { ...current, metadata: { ...current.metadata, annotations }, data });
      },
    });
    const enqueue = (object: { metadata: { namespace?: string } }): void => reconciler.enqueue(object.metadata.namespace!);
    return stopTogether(
      [
        spaces.addHandlers({
          added: (space) => reconciler.enqueue(space.metadata.name!),
          updated: (_old, space) => reconciler.enqueue(space.metadata.name!),
        }),
        maps.addHandlers({ updated: (_old, map) => enqueue(map), deleted: enqueue }),
      ],
      [reconciler],
    );
  },
};
