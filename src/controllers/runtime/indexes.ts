// The indexes that controllers look things up by, so that no reconcile walks all objects.
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { IndexFunction } from '#client/object-cache.ts';
import { controllerOf } from '#api/meta/owner-references.ts';

export const byController = 'controller';
/** By the controller's uid; what has none stands under `orphansOf(namespace)`. */
export const controllerIndex: IndexFunction<KubeObject> = (object) => [
  controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace ?? ''),
];
export const orphansOf = (namespace: string): string => `orphans/${namespace}`;

export const byNamespace = 'namespace';
export const namespaceIndex: IndexFunction<KubeObject> = (object) => [object.metadata.namespace ?? ''];

export const byNode = 'node';
export const nodeIndex: IndexFunction<Pod> = (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []);

export const byLabel = 'label';
/** By each label within its namespace: a selector is looked up by its rarest pair. */
export const labelIndex: IndexFunction<KubeObject> = (object) =>
  Object.entries(object.metadata.labels ?? {}).map(([key, value]) => labelValue(object.metadata.namespace ?? '', key, value));
export const labelValue = (namespace: string, key: string, value: string): string => `${namespace}/${key}=${value}`;
