// What an admission plugin is: one object that refuses by throwing, and never asks what ran before it.
import type { Clock } from '#lib/clock.ts';
import type { Random } from '#lib/random.ts';
import type { UserInfo } from '#api/meta/access.ts';
import type { KubeObject } from '#api/meta/object.ts';
import type { ApiError } from '#api/meta/errors.ts';
import { forbidden } from '#api/meta/errors.ts';
import type { ClusterView } from '../registry/cluster-view.ts';
import type { ServedResource } from '../registry/served-resource.ts';

type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionRequest {
  operation: Operation;
  resource: ServedResource;
  /** Empty for the resource itself. */
  subresource: string;
  namespace: string;
  /** Empty where it will be generated. */
  name: string;
  /** The new object, which mutating plugins may change; absent on deletes and connects. A subresource may have a body of another kind. */
  object: KubeObject | undefined;
  /** Frozen; absent on creates. */
  old: KubeObject | undefined;
  user: UserInfo;
  dryRun: boolean;
}

/** What plugins may know of the cluster: reads are answered from the cache. */
export interface AdmissionContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly view: ClusterView;
}

export interface AdmissionPlugin {
  /** Upstream's name of it. */
  readonly name: string;
  readonly operations: readonly Operation[];
  /** May change `request.object`. */
  mutate?(request: AdmissionRequest, context: AdmissionContext): void | Promise<void>;
  /** Sees the object as it will be stored. */
  validate?(request: AdmissionRequest, context: AdmissionContext): void | Promise<void>;
}

export interface AdmissionChain {
  mutate(request: AdmissionRequest): Promise<void>;
  validate(request: AdmissionRequest): Promise<void>;
}

export function createAdmissionChain(plugins: readonly AdmissionPlugin[], context: AdmissionContext): AdmissionChain {
  const mutating = plugins.filter((plugin) => plugin.mutate !== undefined);
  const validating = plugins.filter((plugin) => plugin.validate !== undefined);
  return {
    async mutate(request) {
      for (const plugin of mutating) {
        if (!plugin.operations.includes(request.operation)) continue;
        // Most plugins have nothing to wait for: awaiting them all would cost a turn of the loop each.
        const pending = plugin.mutate!(request, context);
        if (pending) await pending;
      }
    },
    async validate(request) {
      for (const plugin of validating) {
        if (!plugin.operations.includes(request.operation)) continue;
        const pending = plugin.validate!(request, context);
        if (pending) await pending;
      }
    },
  };
}

/** Whether the request is for objects of the type, not for a subresource of them. */
export function isFor(request: AdmissionRequest, type: { group: string; plural: string }): boolean {
  return request.subresource === '' && isOf(request, type);
}

/** Whether the request is for the type or any of its subresources. */
export function isOf({ resource }: AdmissionRequest, type: { group: string; plural: string }): boolean {
  return resource.type.plural === type.plural && resource.type.group === type.group;
}

/** The 403 of an admission plugin: names the object by its generateName where it has no name yet. */
export function refuse(request: AdmissionRequest, detail: string): ApiError {
  const { metadata } = request.object ?? { metadata: undefined };
  return forbidden(request.resource.type, request.name || metadata?.name || metadata?.generateName || 'Unknown', detail);
}
