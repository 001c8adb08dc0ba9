// What part of a resource a list or a watch is about; its parts are indexed so that an event finds its watchers without asking all.
import type { KubeObject } from '#api/meta/object.ts';

export interface CacheSelection {
  namespace?: string;
  /** A single object's name; with `namespace` where the resource is namespaced. */
  name?: string;
  /** An indexed field's value, e.g. spec.nodeName of pods. */
  index?: { field: string; value: string };
  /** The rest of the selectors; undefined: everything. Never asked about what the parts above exclude. */
  matches?: (object: KubeObject) => boolean;
}

export type FieldIndex = (object: KubeObject) => string;
