// Gives every namespace its `default` service account, again if it is deleted.
import { namespaces, serviceaccounts } from '#api/generated/resources.ts';
import { isAlreadyExists } from '#api/meta/errors.ts';
import type { Controller } from '../runtime/controller.ts';
import { isNamespaceTerminating } from '../runtime/failures.ts';
import { startReconciler, stopTogether } from '../runtime/reconciler.ts';

const wanted = ['default'];

export const serviceAccountController: Controller = {
  name: 'serviceaccount',
  serviceAccount: 'service-account-controller',
  start(context) {
    const spaces = context.informers.informer(namespaces);
    const accounts = context.informers.informer(serviceaccounts);
    const reconciler = startReconciler(context, {
      name: 'serviceaccount',
      waitFor: [spaces, accounts],
      async reconcile(namespace) {
        if (spaces.get(namespace)?.status?.phase === 'Terminating' || spaces.get(namespace) === undefined) return;
        for (const name of wanted) {
          if (accounts.get(`${namespace}/${name}`) !== undefined) continue;
          const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } };
          await context.client.create(serviceaccounts, account).catch((error: unknown) => {
            if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
          });
        }
      },
    });
    return stopTogether(
      [
        spaces.addHandlers({
          added: (namespace) => reconciler.enqueue(namespace.metadata.name!),
          updated: (_old, namespace) => reconciler.enqueue(namespace.metadata.name!),
        }),
        accounts.addHandlers({
          deleted: (account) => reconciler.enqueue(account.metadata.namespace!),
        }),
      ],
      [reconciler],
    );
  },
};
