// The questions about access and identity that are asked by creating an object: nothing is stored, the answer is the object with its status.
import type { AccessAttributes, Authorizer, UserInfo } from '#api/meta/access.ts';
import { badRequest, invalid } from '#api/meta/errors.ts';
import { type FieldError, invalidValue } from '#api/meta/field-errors.ts';
import type { KubeObject, ResourceType } from '#api/meta/object.ts';
import {
  localsubjectaccessreviews,
  selfsubjectaccessreviews,
  selfsubjectreviews,
  selfsubjectrulesreviews,
  subjectaccessreviews,
  tokenreviews,
} from '#api/generated/resources.ts';
import type { SelfSubjectReview, TokenReview } from '#api/generated/authentication-v1.ts';
import type {
  LocalSubjectAccessReview,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from '#api/generated/authorization-v1.ts';
import { toTime } from '#lib/clock.ts';
import type { Clock } from '#lib/clock.ts';
import type { RequestContext } from '../request.ts';
import { nodeNameOf } from './node.ts';
import type { Rbac } from './rbac.ts';

/** A create-only resource that is never stored. `object` is decoded and belongs to the handler. */
export interface Review<T extends KubeObject = KubeObject> {
  readonly resource: ResourceType<T>;
  create(object: T, context: RequestContext): Promise<T> | T;
}

export interface ReviewParts {
  authorize: Authorizer;
  rbac: Rbac;
  /** Answers who a token belongs to, for the audiences asked (none: those of the API server). Throws if it belongs to nobody. */
  authenticateToken(token: string, audiences: readonly string[]): Promise<{ user: UserInfo; audiences: string[] }>;
  clock: Clock;
}

export function createReviews(parts: ReviewParts): Review[] {
  return [
    selfSubjectAccessReview(parts),
    subjectAccessReview(parts),
    localSubjectAccessReview(parts),
    selfSubjectRulesReview(parts),
    selfSubjectReview(parts),
    tokenReview(parts),
  ] as Review[];
}

function selfSubjectAccessReview({ authorize }: ReviewParts): Review<SelfSubjectAccessReview> {
  return {
    resource: selfsubjectaccessreviews,
    create(object, { user }) {
      refuse('SelfSubjectAccessReview', attributeErrors(object.spec));
      return { ...object, status: decide(authorize, attributesOf(object.spec, user)) };
    },
  };
}

function subjectAccessReview({ authorize }: ReviewParts): Review<SubjectAccessReview> {
  return {
    resource: subjectaccessreviews,
    create(object) {
      refuse('SubjectAccessReview', [...attributeErrors(object.spec), ...subjectErrors(object.spec)]);
      return { ...object, status: decide(authorize, attributesOf(object.spec, subjectOf(object.spec))) };
    },
  };
}

function localSubjectAccessReview({ authorize }: ReviewParts): Review<LocalSubjectAccessReview> {
  return {
    resource: localsubjectaccessreviews,
    create(object, { info }) {
      refuse('LocalSubjectAccessReview', [...attributeErrors(object.spec), ...subjectErrors(object.spec)]);
      if (object.spec.resourceAttributes?.namespace !== info.namespace) {
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${info.namespace}`);
      }
      return { ...object, status: decide(authorize, attributesOf(object.spec, subjectOf(object.spec))) };
    },
  };
}

function selfSubjectRulesReview({ rbac }: ReviewParts): Review<SelfSubjectRulesReview> {
  return {
    resource: selfsubjectrulesreviews,
    create(object, { user }) {
      const namespace = object.spec?.namespace ?? '';
      if (namespace === '') throw badRequest('no namespace on request');
      const { rules, errors } = rbac.rulesFor(user, namespace);
      if (user.groups.includes('system:masters')) rules.push(...superuserRules);
      if (nodeNameOf(user) !== undefined) errors.push('node authorizer does not support user rule resolution');
      const resourceRules = rules
        .filter((rule) => (rule.resources?.length ?? 0) > 0)
        .map(({ verbs, apiGroups, resources, resourceNames }) => ({
          verbs,
          apiGroups,
          resources,
          ...(resourceNames && { resourceNames }),
        }));
      const nonResourceRules = rules
        .filter((rule) => (rule.nonResourceURLs?.length ?? 0) > 0)
        .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
      const incomplete = errors.length > 0;
      return {
        ...object,
        status: { resourceRules, nonResourceRules, incomplete, ...(incomplete && { evaluationError: errors.join(', ') }) },
      };
    },
  };
}

const superuserRules = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

function selfSubjectReview({ clock }: ReviewParts): Review<SelfSubjectReview> {
  return {
    resource: selfsubjectreviews,
    create: (object, { user }) => ({
      ...object,
      metadata: { ...object.metadata, creationTimestamp: toTime(clock.now()) },
      status: { userInfo: describeUser(user) },
    }),
  };
}

function tokenReview({ authenticateToken }: ReviewParts): Review<TokenReview> {
  return {
    resource: tokenreviews,
    async create(object) {
      const { token, audiences = [] } = object.spec ?? {};
      if (!token) throw badRequest('token is required for TokenReview in authentication');
      try {
        const found = await authenticateToken(token, audiences);
        const named = audiences.length > 0 ? { audiences: found.audiences } : {};
        return { ...object, status: { authenticated: true, user: describeUser(found.user), ...named } };
      } catch (error) {
        return { ...object, status: { user: {}, error: error instanceof Error ? error.message : String(error) } };
      }
    },
  };
}

export function describeUser(user: UserInfo): { username: string; uid?: string; groups: string[]; extra?: Record<string, string[]> } {
  const extra = Object.entries(user.extra ?? {}).map(([key, values]) => [key, [...values]] as [string, string[]]);
  return {
    username: user.name,
    ...(user.uid && { uid: user.uid }),
    groups: [...user.groups],
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  };
}

function decide(authorize: Authorizer, attributes: AccessAttributes): SubjectAccessReviewStatus {
  const { decision, reason } = authorize(attributes);
  return { allowed: decision === 'allow', ...(decision === 'deny' && { denied: true }), ...(reason !== '' && { reason }) };
}

function attributesOf(spec: SelfSubjectAccessReviewSpec, user: UserInfo): AccessAttributes {
  const resource: ResourceAttributes = spec.resourceAttributes ?? {};
  const path = spec.nonResourceAttributes;
  return {
    user,
    verb: (path ? path.verb : resource.verb) ?? '',
    isResourceRequest: path === undefined,
    group: resource.group ?? '',
    version: resource.version ?? '',
    resource: resource.resource ?? '',
    subresource: resource.subresource ?? '',
    namespace: resource.namespace ?? '',
    name: resource.name ?? '',
    path: path?.path ?? '',
  };
}

function subjectOf(spec: SubjectAccessReviewSpec): UserInfo {
  return {
    name: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid && { uid: spec.uid }),
    ...(spec.extra && { extra: spec.extra }),
  };
}

function refuse(kind: string, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind }, '', errors);
}

function attributeErrors(spec: SelfSubjectAccessReviewSpec | undefined): FieldError[] {
  if (spec?.resourceAttributes && spec.nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    return [invalidValue('spec.nonResourceAttributes', spec.nonResourceAttributes, detail)];
  }
  if (spec?.resourceAttributes || spec?.nonResourceAttributes) return [];
  return [invalidValue('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')];
}

function subjectErrors(spec: SubjectAccessReviewSpec | undefined): FieldError[] {
  if (spec?.user || spec?.groups?.length) return [];
  return [invalidValue('spec.user', '', 'at least one of user or group must be specified')];
}
