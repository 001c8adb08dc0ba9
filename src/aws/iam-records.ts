// The account's users, roles and access keys, kept under KEKS_HOME/aws; the first start makes the user `admin` and its key.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '#lib/durable-file.ts';
import type { Random } from '#lib/random.ts';
import type { Records } from '#lib/records.ts';
import { openRecords } from '#lib/records.ts';
import type { CredentialStore, SessionCredentials, Principal } from './credentials.ts';
import { newId, newSecret, sessionSealer } from './credentials.ts';

interface IamUser {
  userName: string;
  userId: string;
  arn: string;
  path: string;
  createdAtMs: number;
  accessKeys: { accessKeyId: string; secretAccessKey: string }[];
}

export interface IamRole {
  roleName: string;
  roleId: string;
  arn: string;
  path: string;
  createdAtMs: number;
  assumeRolePolicyDocument: string;
  description?: string;
  maxSessionSeconds: number;
  tags: Record<string, string>;
}

export interface Iam {
  readonly accountId: string;
  readonly credentials: CredentialStore;
  /** The user that the account starts with; it may do everything. */
  readonly admin: IamUser;
  readonly roles: Records<IamRole>;
  issueSession(principal: Omit<Principal, 'accessKeyId'>, expirationMs: number): SessionCredentials;
  newRoleId(): string;
}

export const accountId = '123456789012';

/** Opens `directory`, or fills it on the first start. The CLI's profile file is `directory/credentials`. */
export async function openIam(directory: string, options: { random: Random; nowMs: number }): Promise<Iam> {
  const { random } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const users = await openRecords<IamUser>(join(directory, 'users'));
  const roles = await openRecords<IamRole>(join(directory, 'roles'));
  const sealer = sessionSealer(await sessionKey(directory, random), random);
  const admin = users.get('admin') ?? newAdmin(options);
  if (users.get('admin') === undefined) await users.put('admin', admin);
  await writeProfile(directory, admin);
  const keys = new Map(users.values().flatMap((user) => user.accessKeys.map((key) => [key.accessKeyId, { user, key }] as const)));
  return {
    accountId,
    admin,
    roles,
    credentials: {
      find(accessKeyId, sessionToken, nowMs) {
        if (sessionToken !== undefined) return sealer.find(accessKeyId, sessionToken, nowMs);
        const found = keys.get(accessKeyId);
        return found === undefined
          ? 'unknown'
          : { secretAccessKey: found.key.secretAccessKey, principal: userPrincipal(found.user, accessKeyId) };
      },
    },
    issueSession: (principal, expirationMs) => sealer.issue(principal, expirationMs),
    newRoleId: () => `AROA${newId(random, 17)}`,
  };
}

function newAdmin({ random, nowMs }: { random: Random; nowMs: number }): IamUser {
  return {
    userName: 'admin',
    userId: `AIDA${newId(random, 17)}`,
    arn: `arn:aws:iam::${accountId}:user/admin`,
    path: '/',
    createdAtMs: nowMs,
    accessKeys: [{ accessKeyId: `AKIA${newId(random, 16)}`, secretAccessKey: newSecret(random) }],
  };
}

function userPrincipal(user: IamUser, accessKeyId: string): Principal {
  return { accountId, arn: user.arn, canonicalArn: user.arn, userId: user.userId, sessionName: '', accessKeyId };
}

async function sessionKey(directory: string, random: Random): Promise<Buffer> {
  const file = join(directory, 'session-key');
  try {
    return Buffer.from(await readFile(file, 'utf8'), 'base64');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const key = random.bytes(32);
    await writeDurably(file, key.toString('base64'));
    return key;
  }
}

/** The shared credentials file that `aws --profile default` reads. Written again if someone lost it. */
async function writeProfile(directory: string, admin: IamUser): Promise<void> {
  const key = admin.accessKeys[0]!;
  const text = `[default]\naws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${key.secretAccessKey}\n`;
  const file = join(directory, 'credentials');
  const present = await readFile(file, 'utf8').catch(() => '');
  if (present !== text) await writeDurably(file, text);
}
