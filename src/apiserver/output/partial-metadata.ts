// An object reduced to its metadata, for clients that want no more.
import type { KubeObject } from '#api/meta/object.ts';

export function partialMetadata(object: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

export function partialMetadataList(objects: readonly KubeObject[], metadata: object): object {
  return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: objects.map(partialMetadata) };
}
