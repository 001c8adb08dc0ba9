// Tags of clusters and node groups: at most 50, and none of AWS' own.
import type { AwsError } from '#aws/aws-error.ts';

const maxTags = 50;

export function checkTags(tags: Record<string, string> | undefined, refuse: (message: string) => AwsError): void {
  const keys = Object.keys(tags ?? {});
  if (keys.length > maxTags) throw refuse(`Too many tags: at most ${maxTags} are allowed`);
  if (keys.some((key) => key.toLowerCase().startsWith('aws:'))) {
    throw refuse('aws: prefixed tag key names are not allowed for external use.');
  }
}
