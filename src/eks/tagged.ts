// What an ARN in a tag operation names, and how its tags are kept.
import type { EksContext } from './context.ts';
import { eksError } from './errors.ts';

export interface Tagged {
  tags: Record<string, string>;
  put(tags: Record<string, string>): Promise<void>;
}

export function taggedBy(resourceArn: string, { clusters, nodegroups, region, accountId }: EksContext): Tagged {
  const parts = /^arn:aws[\w-]*:eks:([\w-]+):(\d{12}):([\w-]+)\/(.+)$/.exec(resourceArn);
  if (parts === null) throw eksError('BadRequestException', `Invalid ARN: ${resourceArn}`);
  const [, arnRegion, account, kind, path] = parts;
  const names = path!.split('/');
  const here = arnRegion === region && account === accountId;
  const cluster = here && kind === 'cluster' && names.length === 1 ? clusters.get(names[0]!) : undefined;
  if (cluster !== undefined) {
    const put = (tags: Record<string, string>) => clusters.update({ ...cluster, cluster: { ...cluster.cluster, tags } });
    return { tags: cluster.cluster.tags ?? {}, put };
  }
  const nodegroup = here && kind === 'nodegroup' && names.length === 3 ? nodegroups.get(names[0]!, names[1]!) : undefined;
  if (nodegroup !== undefined && nodegroup.nodegroup.nodegroupArn === resourceArn) {
    const put = (tags: Record<string, string>) => nodegroups.put({ ...nodegroup, nodegroup: { ...nodegroup.nodegroup, tags } });
    return { tags: nodegroup.nodegroup.tags ?? {}, put };
  }
  throw eksError('NotFoundException', `No resource found for ARN: ${resourceArn}`);
}
