// Which taints a pod puts up with.
import type { Taint, Toleration } from '#api/generated/core-v1.ts';

export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some((toleration) => matches(toleration, taint));
}

/** An empty effect matches all effects, an empty key with Exists all keys. */
function matches(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator) {
    case 'Exists':
      return true;
    case undefined:
    case '':
    case 'Equal':
      return toleration.key !== undefined && toleration.key !== '' && (toleration.value ?? '') === (taint.value ?? '');
    default:
      return false;
  }
}
