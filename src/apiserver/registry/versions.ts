// Several versions of one kind: objects are kept in one of them and turned into the others when somebody reads, once for each.
import type { KubeObject } from '#api/meta/object.ts';
import { apiVersionOf, freeze } from '#api/meta/object.ts';
import { invalid } from '#api/meta/errors.ts';
import type { Entry } from '../cache/entry.ts';
import { encode } from '../cache/entry.ts';
import type { OtherVersion } from '../resources/resource.ts';

export interface Conversion {
  /** A kept object in this version; frozen, and the same for whoever asks. */
  show(object: KubeObject): KubeObject;
  showEntry(entry: Entry): Entry;
  /** What is kept of an object of this version. Throws 422 for what this version does not allow. */
  store(object: KubeObject): KubeObject;
}

interface Versioned {
  readonly conversion: Conversion | undefined;
}

export const objectIn = ({ conversion }: Versioned, object: KubeObject): KubeObject => conversion?.show(object) ?? object;
export const entryIn = ({ conversion }: Versioned, entry: Entry): Entry => conversion?.showEntry(entry) ?? entry;
/** `object` belongs to the request. */
export const storedForm = ({ conversion }: Versioned, object: KubeObject): KubeObject => conversion?.store(object) ?? object;

export function createConversion(version: OtherVersion): Conversion {
  const { kind } = version.resource;
  const apiVersion = apiVersionOf(version.resource);
  const shown = new WeakMap<KubeObject, KubeObject>();
  const entries = new WeakMap<KubeObject, Entry>();

  const show = (object: KubeObject): KubeObject => {
    const known = shown.get(object);
    if (known !== undefined) return known;
    const { metadata, ...rest } = version.fromStorage(object);
    // In the order in which bytes are cut: kind, apiVersion and metadata stand first.
    const ordered = { kind: '', apiVersion: '', metadata, ...rest };
    const made = freeze(Object.assign(ordered, { kind, apiVersion }));
    // What may still change is another object tomorrow.
    if (Object.isFrozen(object)) shown.set(object, made);
    return made;
  };

  return {
    show,
    showEntry(entry) {
      const object = show(entry.object);
      let made = entries.get(object);
      if (made === undefined) {
        made = { key: entry.key, object, revision: entry.revision, encoded: encode(object), spliced: true };
        entries.set(object, made);
      }
      return made;
    },
    store(object) {
      const errors = version.validate?.(object) ?? [];
      if (errors.length > 0) throw invalid(version.resource, object.metadata.name ?? '', errors);
      return version.toStorage(object);
    },
  };
}
