// IAM, as far as EKS' callers need it: roles are records that a role ARN refers to. Policies come later.
import { AwsError } from './aws-error.ts';
import type { IamRole } from './iam-records.ts';
import type { QueryAction, QueryCall, QueryService } from './query-protocol.ts';
import { requiredParameter, toXmlTime, validationError } from './query-protocol.ts';

export const iamService: QueryService = {
  service: 'iam',
  version: '2010-05-08',
  namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  actions: {
    CreateRole: createRole,
    GetRole: getRole,
    ListRoles: listRoles,
    DeleteRole: deleteRole,
    GetUser: getUser,
  } satisfies Record<string, QueryAction>,
};

async function createRole(call: QueryCall) {
  const roleName = roleNameOf(call);
  const document = requiredParameter(call, 'AssumeRolePolicyDocument');
  checkDocument(document);
  if (call.iam.roles.get(roleName)) throw new AwsError('EntityAlreadyExists', 409, `Role with name ${roleName} already exists.`);
  const path = pathOf(call);
  const description = call.parameters.get('Description');
  const role: IamRole = {
    roleName,
    roleId: call.iam.newRoleId(),
    arn: `arn:aws:iam::${call.iam.accountId}:role${path}${roleName}`,
    path,
    createdAtMs: call.nowMs,
    assumeRolePolicyDocument: document,
    ...(description && { description }),
    maxSessionSeconds: maxSessionOf(call),
    tags: tagsOf(call.parameters),
  };
  await call.iam.roles.put(roleName, role);
  return { Role: describe(role) };
}

async function getRole(call: QueryCall) {
  return { Role: describe(existing(call)) };
}

async function listRoles(call: QueryCall) {
  const prefix = call.parameters.get('PathPrefix') ?? '/';
  const marker = call.parameters.get('Marker') ?? '';
  const limit = Number(call.parameters.get('MaxItems') ?? 100);
  if (!(limit >= 1 && limit <= 1000))
    throw validationError(`Value '${limit}' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000`);
  const roles = call.iam.roles.values().filter((role) => role.path.startsWith(prefix) && role.roleName > marker);
  const page = roles.slice(0, limit);
  const truncated = page.length < roles.length;
  return { Roles: page.map(describe), IsTruncated: truncated, ...(truncated && { Marker: page.at(-1)!.roleName }) };
}

async function deleteRole(call: QueryCall) {
  await call.iam.roles.delete(existing(call).roleName);
  return undefined;
}

async function getUser(call: QueryCall) {
  const { admin } = call.iam;
  const name = call.parameters.get('UserName') ?? admin.userName;
  if (name !== admin.userName) throw new AwsError('NoSuchEntity', 404, `The user with name ${name} cannot be found.`);
  return {
    User: { Path: admin.path, UserName: admin.userName, UserId: admin.userId, Arn: admin.arn, CreateDate: toXmlTime(admin.createdAtMs) },
  };
}

function existing(call: QueryCall): IamRole {
  const roleName = roleNameOf(call);
  const role = call.iam.roles.get(roleName);
  if (role === undefined) throw new AwsError('NoSuchEntity', 404, `The role with name ${roleName} cannot be found.`);
  return role;
}

function describe(role: IamRole) {
  return {
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: toXmlTime(role.createdAtMs),
    AssumeRolePolicyDocument: encodeURIComponent(role.assumeRolePolicyDocument),
    Description: role.description,
    MaxSessionDuration: role.maxSessionSeconds,
    ...(Object.keys(role.tags).length > 0 && { Tags: Object.entries(role.tags).map(([Key, Value]) => ({ Key, Value })) }),
  };
}

function roleNameOf(call: QueryCall): string {
  const name = requiredParameter(call, 'RoleName');
  const complaint = `Value '${name}' at 'roleName' failed to satisfy constraint: Member must`;
  if (name.length > 64) throw validationError(`${complaint} have length less than or equal to 64`);
  if (!/^[\w+=,.@-]+$/.test(name)) throw validationError(`${complaint} satisfy regular expression pattern: [\\w+=,.@-]+`);
  return name;
}

function pathOf(call: QueryCall): string {
  const path = call.parameters.get('Path') ?? '/';
  if (!/^(\/|\/[\x21-\x7e]+\/)$/.test(path)) {
    throw validationError(
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    );
  }
  return path;
}

function maxSessionOf(call: QueryCall): number {
  const seconds = Number(call.parameters.get('MaxSessionDuration') ?? 3600);
  if (!(seconds >= 3600 && seconds <= 43_200)) {
    throw validationError(
      `Value '${seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200`,
    );
  }
  return seconds;
}

function checkDocument(document: string): void {
  try {
    const parsed: unknown = JSON.parse(document);
    if (typeof parsed === 'object' && parsed !== null && 'Statement' in parsed) return;
  } catch {
    // Falls through: not JSON is as wrong as no statement.
  }
  throw new AwsError('MalformedPolicyDocument', 400, 'This policy contains invalid Json');
}

function tagsOf(parameters: ReadonlyMap<string, string>): Record<string, string> {
  const tags: Record<string, string> = {};
  for (let i = 1; parameters.has(`Tags.member.${i}.Key`); i++) {
    tags[parameters.get(`Tags.member.${i}.Key`)!] = parameters.get(`Tags.member.${i}.Value`) ?? '';
  }
  return tags;
}
