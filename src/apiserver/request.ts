// What a request is about, read off its method and path, and what is known of it on its way through the pipeline.
import type { UserInfo } from '#api/meta/access.ts';

export interface RequestInfo {
  isResourceRequest: boolean;
  /** The whole path, for requests that are not for resources. */
  path: string;
  verb: string;
  group: string;
  version: string;
  namespace: string;
  resource: string;
  subresource: string;
  name: string;
}

export interface RequestContext {
  info: RequestInfo;
  user: UserInfo;
  query: URLSearchParams;
  userAgent: string;
  /** Aborted when the client went away or the request ran out of time. */
  signal: AbortSignal;
  /** Texts for `Warning: 299` headers. */
  warnings: string[];
}
