// The metrics of the other control plane components, at the paths where EKS serves them: a scraper inside the cluster needs no other door.
import type { Registry } from 'prom-client';
import { methodNotAllowed } from '#api/meta/errors.ts';
import type { PathHandler } from '../paths.ts';
import { isRead } from '../paths.ts';

/** EKS' short names: kcm is the controller manager, ksh the scheduler. */
export type ComponentRegistries = Readonly<Record<'kcm' | 'ksh', Registry>>;

const path = /^\/apis\/metrics\.eks\.amazonaws\.com\/v1\/(kcm|ksh)\/container\/metrics$/;

export function componentMetrics(registries: ComponentRegistries): PathHandler {
  return async (request) => {
    const component = path.exec(request.path)?.[1] as keyof ComponentRegistries | undefined;
    if (component === undefined) return undefined;
    if (!isRead(request)) throw methodNotAllowed();
    const registry = registries[component];
    return { status: 200, headers: { 'content-type': registry.contentType }, body: Buffer.from(await registry.metrics()) };
  };
}
