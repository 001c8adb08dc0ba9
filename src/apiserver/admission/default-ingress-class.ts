// DefaultIngressClass: an ingress that names no class gets the default one; of several the newest.
import type { Ingress, IngressClass } from '#api/generated/networking-v1.ts';
import { ingressclasses, ingresses } from '#api/generated/resources.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { isFor } from './plugin.ts';

const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';
const classAnnotation = 'kubernetes.io/ingress.class';

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  operations: ['CREATE'],
  mutate(request, { view }) {
    if (!isFor(request, ingresses)) return;
    const ingress = request.object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.[classAnnotation] !== undefined) return;
    const [newest] = view
      .cachedList(ingressclasses)
      .filter(({ metadata }) => metadata.annotations?.[defaultAnnotation] === 'true')
      .sort(newestThenByName);
    if (newest !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: newest.metadata.name! };
  },
};

function newestThenByName(a: IngressClass, b: IngressClass): number {
  const [bornA, bornB] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (bornA !== bornB) return bornA < bornB ? 1 : -1;
  return a.metadata.name! < b.metadata.name! ? -1 : 1;
}
