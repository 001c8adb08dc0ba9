// What some resources take or give back around a write, e.g. a service its addresses.
import type { KubeObject } from '#api/meta/object.ts';

/** Called with whether the write went through; takes back what was reserved for it if not. */
export type Finish = (committed: boolean) => void;

export interface WriteHooks<T extends KubeObject = KubeObject> {
  /** Before validation; may change `object`. */
  beginCreate?(object: T, dryRun: boolean): Finish;
  beginUpdate?(object: T, old: T, dryRun: boolean): Finish;
  /** The object is gone from the store. */
  afterDelete?(object: T): void;
}

export const nothingToFinish: Finish = () => {};
