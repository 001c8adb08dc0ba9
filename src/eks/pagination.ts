// maxResults and nextToken: a page of names in order, and where the next one starts.
import { invalidParameter } from './errors.ts';

export interface PageRequest {
  maxResults?: number;
  nextToken?: string;
}

export interface Page {
  names: string[];
  nextToken?: string;
}

const defaultPageSize = 100;

/** `names` are in ascending order; the token names the last one seen, so pages stay right while others come and go. */
export function pageOf(names: readonly string[], { maxResults = defaultPageSize, nextToken }: PageRequest): Page {
  const after = nextToken === undefined ? '' : decodeToken(nextToken);
  const rest = names.filter((name) => name > after);
  const page = rest.slice(0, maxResults);
  return page.length < rest.length ? { names: page, nextToken: encodeToken(page.at(-1)!) } : { names: page };
}

const mark = 'keks:';

function encodeToken(name: string): string {
  return Buffer.from(mark + name).toString('base64url');
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith(mark)) throw invalidParameter('Invalid nextToken value');
  return text.slice(mark.length);
}
