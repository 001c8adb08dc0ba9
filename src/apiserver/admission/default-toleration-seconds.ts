// DefaultTolerationSeconds: pods outlive their node's silence by five minutes, unless they say otherwise.
import type { Pod } from '#api/generated/core-v1.ts';
import { pods } from '#api/generated/resources.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { isFor } from './plugin.ts';

const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const tolerationSeconds = 300;

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  operations: ['CREATE', 'UPDATE'],
  mutate(request) {
    if (!isFor(request, pods)) return;
    const spec = (request.object as Pod).spec!;
    const present = spec.tolerations ?? [];
    const missing = taints.filter(
      (taint) => !present.some(({ key, effect }) => (!key || key === taint) && (!effect || effect === 'NoExecute')),
    );
    if (missing.length === 0) return;
    const added = missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }));
    spec.tolerations = [...present, ...added];
  },
};
