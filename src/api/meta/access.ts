// Who asks, and whether they may: the contract between authentication, authorisation and what is plugged into either
// (EKS' IAM tokens and access policies among them).

/** The identity a request is made with. */
export interface UserInfo {
  name: string;
  uid?: string;
  groups: readonly string[];
  extra?: Readonly<Record<string, readonly string[]>>;
}

/** Recognises a bearer token: the user, or undefined if the token is none of its kind. Throws if it is of its kind and not valid. */
export type TokenAuthenticator = (token: string) => Promise<UserInfo | undefined>;

export interface AccessAttributes {
  user: UserInfo;
  /** get, list, watch, create, update, patch, delete, deletecollection, …; for paths the lower-case HTTP method. */
  verb: string;
  isResourceRequest: boolean;
  /** Empty for paths. */
  group: string;
  version: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  /** For requests that are not for resources. */
  path: string;
}

export interface AccessDecision {
  /** `none`: the next authorizer is asked. */
  decision: 'allow' | 'deny' | 'none';
  reason: string;
}

export type Authorizer = (attributes: AccessAttributes) => AccessDecision;
