// ListTagsForResource: the tags of a cluster or node group.
import type { Operation } from '#eks/context.ts';
import { taggedBy } from '#eks/tagged.ts';

export const listTagsForResource: Operation<'ListTagsForResource'> = async ({ resourceArn }, context) => {
  return { tags: taggedBy(resourceArn, context).tags };
};
