// What the audit log leaves out: the heartbeat of the cluster itself, which would drown what people do.
import type { RequestContext } from '../request.ts';

const quietPaths = ['/healthz', '/livez', '/readyz', '/version', '/metrics', '/openapi', '/api', '/apis'];

export function isAudited({ info, user }: RequestContext): boolean {
  if (!info.isResourceRequest) return !quietPaths.some((path) => info.path === path || info.path.startsWith(`${path}/`));
  if (info.resource === 'events') return false;
  const component =
    user.groups.includes('system:nodes') ||
    user.name.startsWith('system:kube-') ||
    user.groups.includes('system:serviceaccounts:kube-system');
  if (info.resource === 'leases') return !component;
  return !(component && ['get', 'list', 'watch'].includes(info.verb) && info.resource !== 'secrets');
}
