// When an image is pulled if its author did not say: always for `latest`, otherwise only when it is missing.

export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const [reference = '', digest] = image.split('@');
  const lastPart = reference.slice(reference.lastIndexOf('/') + 1);
  const colon = lastPart.lastIndexOf(':');
  const tag = colon >= 0 ? lastPart.slice(colon + 1) : digest === undefined && lastPart !== '' ? 'latest' : '';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}
