// TagResource: adds tags to a cluster or node group, or overwrites them.
import type { Operation } from '#eks/context.ts';
import { eksError } from '#eks/errors.ts';
import { taggedBy } from '#eks/tagged.ts';
import { checkTags } from '#eks/tags.ts';

export const tagResource: Operation<'TagResource'> = async ({ resourceArn, tags }, context) => {
  const resource = taggedBy(resourceArn, context);
  const refuse = (message: string) => eksError('BadRequestException', message);
  checkTags(tags, refuse);
  const all = { ...resource.tags, ...tags };
  checkTags(all, refuse);
  await resource.put(all);
  return {};
};
