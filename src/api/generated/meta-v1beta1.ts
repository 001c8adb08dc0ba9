// The messages of meta.k8s.io/v1beta1 as they stand in JSON.
// Generated from tools/generate/inputs/kubernetes by `npm run generate`: never edit.
import type { ListMeta, PartialObjectMetadata } from './meta-v1.ts';

export interface PartialObjectMetadataList {
  apiVersion?: string;
  kind?: string;
  metadata: ListMeta;
  items: PartialObjectMetadata[];
}
