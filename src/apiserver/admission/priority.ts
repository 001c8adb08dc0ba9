// Priority: a pod's priority is what its class says, never what the pod says.
import type { Pod } from '#api/generated/core-v1.ts';
import { pods, priorityclasses } from '#api/generated/resources.ts';
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { isFor, refuse } from './plugin.ts';

export const priority: AdmissionPlugin = {
  name: 'Priority',
  operations: ['CREATE', 'UPDATE'],
  mutate(request, context) {
    if (!isFor(request, pods)) return undefined;
    return request.operation === 'CREATE' ? setPriority(request, context) : keepPriority(request);
  },
  validate(request, { view }) {
    if (!isFor(request, priorityclasses)) return;
    const own = request.object as PriorityClass;
    if (!own.globalDefault) return;
    const other = view.cachedList(priorityclasses).find((each) => each.globalDefault && each.metadata.name !== own.metadata.name);
    if (other === undefined) return;
    throw refuse(request, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`);
  },
};

async function setPriority(request: AdmissionRequest, context: AdmissionContext): Promise<void> {
  const { spec } = request.object as Pod;
  const priorityClass = await classOf(request, context);
  const value = priorityClass?.value ?? 0;
  const policy = priorityClass?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (spec!.priority !== undefined && spec!.priority !== value) {
    const detail = `the integer value of priority (${spec!.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
    throw refuse(request, detail);
  }
  if (spec!.preemptionPolicy !== undefined && spec!.preemptionPolicy !== policy) {
    const detail = `the string value of PreemptionPolicy (${spec!.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
    throw refuse(request, detail);
  }
  spec!.priority = value;
  spec!.preemptionPolicy = policy;
  if (priorityClass !== undefined) spec!.priorityClassName = priorityClass.metadata.name!;
}

async function classOf(request: AdmissionRequest, { view }: AdmissionContext): Promise<PriorityClass | undefined> {
  const name = (request.object as Pod).spec?.priorityClassName;
  if (!name) return defaultClass(view.cachedList(priorityclasses));
  const found = await view.latest(priorityclasses, { name });
  if (found === undefined) throw refuse(request, `no PriorityClass with name ${name} was found`);
  return found;
}

/** Of several defaults, which only a race can bring about, the lowest. */
function defaultClass(classes: PriorityClass[]): PriorityClass | undefined {
  return classes.filter(({ globalDefault }) => globalDefault).sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}

function keepPriority({ object, old }: AdmissionRequest): void {
  const [{ spec }, before] = [object as Pod, (old as Pod).spec];
  if (before?.priority !== undefined) spec!.priority ??= before.priority;
  if (before?.preemptionPolicy !== undefined) spec!.preemptionPolicy ??= before.preemptionPolicy;
}
