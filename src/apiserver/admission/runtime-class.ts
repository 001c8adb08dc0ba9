// RuntimeClass: a pod of a class bears the class's overhead, and goes where the class says that it can run.
import { isDeepStrictEqual } from 'node:util';
import type { Pod } from '#api/generated/core-v1.ts';
import type { RuntimeClass } from '#api/generated/node-v1.ts';
import { pods, runtimeclasses } from '#api/generated/resources.ts';
import { copyOf } from '#api/meta/object.ts';
import { compareQuantities } from '#api/meta/quantity.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isFor, refuse } from './plugin.ts';

export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  operations: ['CREATE'],
  mutate(request, { view }) {
    if (!isFor(request, pods)) return undefined;
    const { spec } = request.object as Pod;
    const name = spec.runtimeClassName;
    if (name) return view.latest(runtimeclasses, { name }).then((found) => apply(request, found, name));
    if (spec.overhead === undefined) return undefined;
    throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  },
};

function apply(request: AdmissionRequest, found: RuntimeClass | undefined, name: string): void {
  if (found === undefined) throw refuse(request, `pod rejected: RuntimeClass "${name}" not found`);
  setOverhead(request, found);
  setScheduling(request, found);
}

function setOverhead(request: AdmissionRequest, { overhead }: RuntimeClass): void {
  const { spec } = request.object as Pod;
  const fixed = overhead?.podFixed;
  if (spec.overhead === undefined) {
    if (fixed !== undefined) spec.overhead = { ...fixed };
    return;
  }
  if (fixed === undefined) {
    throw refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  }
  const names = [...new Set([...Object.keys(fixed), ...Object.keys(spec.overhead)])];
  const agrees = names.every((each) => compareQuantities(fixed[each] ?? '0', spec.overhead![each] ?? '0') === 0);
  if (!agrees) throw refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

function setScheduling(request: AdmissionRequest, { scheduling }: RuntimeClass): void {
  const { spec } = request.object as Pod;
  for (const [label, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[label];
    if (own !== undefined && own !== value) {
      throw refuse(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${label}] = ${value}; pod.spec.nodeSelector[${label}] = ${own}`,
      );
    }
    spec.nodeSelector = { ...spec.nodeSelector, [label]: value };
  }
  const own = spec.tolerations ?? [];
  const added = (scheduling?.tolerations ?? []).filter((toleration) => !own.some((other) => isDeepStrictEqual(other, toleration)));
  if (added.length > 0) spec.tolerations = [...own, ...copyOf(added)];
}
