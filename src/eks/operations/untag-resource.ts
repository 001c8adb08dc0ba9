// UntagResource: takes tags off; keys that are not there do no harm.
import type { Operation } from '#eks/context.ts';
import { taggedBy } from '#eks/tagged.ts';

export const untagResource: Operation<'UntagResource'> = async ({ resourceArn, tagKeys }, context) => {
  const resource = taggedBy(resourceArn, context);
  await resource.put(Object.fromEntries(Object.entries(resource.tags).filter(([key]) => !tagKeys.includes(key))));
  return {};
};
