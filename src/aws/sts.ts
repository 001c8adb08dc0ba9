// STS: who am I, and credentials for a role. Every principal of the account may assume the roles that exist in it:
// trust policies are kept but not evaluated yet.
import { AwsError } from './aws-error.ts';
import type { QueryAction, QueryCall, QueryService } from './query-protocol.ts';
import { requiredParameter, toXmlTime, validationError } from './query-protocol.ts';

export const sts: QueryService = {
  service: 'sts',
  version: '2011-06-15',
  namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  actions: { GetCallerIdentity: getCallerIdentity, AssumeRole: assumeRole } satisfies Record<string, QueryAction>,
};

async function getCallerIdentity({ caller }: QueryCall) {
  return { Arn: caller.arn, UserId: caller.userId, Account: caller.accountId };
}

async function assumeRole(call: QueryCall) {
  const roleArn = requiredParameter(call, 'RoleArn');
  const sessionName = requiredParameter(call, 'RoleSessionName');
  checkLengthAndPattern(roleArn, sessionName);
  const role = call.iam.roles.values().find((candidate) => candidate.arn === roleArn);
  if (role === undefined) {
    const who = `User: ${call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
    throw new AwsError('AccessDenied', 403, who);
  }
  const seconds = durationSeconds(call.parameters.get('DurationSeconds'), role.maxSessionSeconds);
  const arn = `arn:aws:sts::${call.iam.accountId}:assumed-role/${role.roleName}/${sessionName}`;
  const userId = `${role.roleId}:${sessionName}`;
  const session = call.iam.issueSession(
    { accountId: call.iam.accountId, arn, canonicalArn: role.arn, userId, sessionName },
    call.nowMs + seconds * 1000,
  );
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: toXmlTime(session.expirationMs),
    },
    AssumedRoleUser: { AssumedRoleId: userId, Arn: arn },
  };
}

function checkLengthAndPattern(roleArn: string, sessionName: string): void {
  if (!/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) throw new AwsError('ValidationError', 400, `${roleArn} is invalid`);
  const name = `Value '${sessionName}' at 'roleSessionName' failed to satisfy constraint: Member must`;
  if (!/^[\w+=,.@-]*$/.test(sessionName)) throw validationError(`${name} satisfy regular expression pattern: [\\w+=,.@-]*`);
  if (sessionName.length < 2) throw validationError(`${name} have length greater than or equal to 2`);
  if (sessionName.length > 64) throw validationError(`${name} have length less than or equal to 64`);
}

function durationSeconds(text: string | undefined, maxSeconds: number): number {
  if (text === undefined) return Math.min(3600, maxSeconds);
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 900) {
    throw validationError(
      `Value '${text}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`,
    );
  }
  if (seconds > maxSeconds) {
    throw new AwsError('ValidationError', 400, 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return seconds;
}
