// Access keys and whom they belong to. Long-lived keys are records; session credentials carry their own sealed record in the
// session token, so that any number of them costs nothing to keep.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '#lib/random.ts';

/** Who made a signed call. */
export interface Principal {
  accountId: string;
  /** `arn:aws:iam::…:user/…` or `arn:aws:sts::…:assumed-role/role/session`. */
  arn: string;
  /** The ARN that access is granted to: for a session that of its role, path kept. */
  canonicalArn: string;
  /** `AIDA…`, or `AROA…:session`. */
  userId: string;
  /** Empty for a user. */
  sessionName: string;
  accessKeyId: string;
}

export interface FoundCredentials {
  secretAccessKey: string;
  principal: Principal;
}

export interface CredentialStore {
  find(accessKeyId: string, sessionToken: string | undefined, nowMs: number): FoundCredentials | 'unknown' | 'expired';
}

export interface SessionCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expirationMs: number;
}

interface SealedSession extends FoundCredentials {
  expirationMs: number;
}

/** Mints and recognises session credentials; `key` has 32 bytes and never leaves the daemon. */
export function sessionSealer(key: Buffer, random: Random) {
  return {
    issue(principal: Omit<Principal, 'accessKeyId'>, expirationMs: number): SessionCredentials {
      const accessKeyId = `ASIA${newId(random, 16)}`;
      const secretAccessKey = newSecret(random);
      const sealed: SealedSession = { secretAccessKey, principal: { ...principal, accessKeyId }, expirationMs };
      return { accessKeyId, secretAccessKey, sessionToken: seal(sealed, key, random), expirationMs };
    },
    find(accessKeyId: string, sessionToken: string, nowMs: number): FoundCredentials | 'unknown' | 'expired' {
      const session = unseal(sessionToken, key);
      if (session === undefined || session.principal.accessKeyId !== accessKeyId) return 'unknown';
      return session.expirationMs <= nowMs ? 'expired' : session;
    },
  };
}

const tokenPrefix = 'FwoGZXIv';

function seal(session: SealedSession, key: Buffer, random: Random): string {
  const nonce = random.bytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([nonce, cipher.update(JSON.stringify(session)), cipher.final(), cipher.getAuthTag()]);
  return tokenPrefix + sealed.toString('base64');
}

function unseal(token: string, key: Buffer): SealedSession | undefined {
  const sealed = Buffer.from(token.slice(tokenPrefix.length), 'base64');
  if (!token.startsWith(tokenPrefix) || sealed.length < 29) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString()) as SealedSession;
  } catch {
    return undefined; // Not sealed with our key, or changed since.
  }
}

const idAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const secretAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The tail of an IAM id: `AKIA` + 16, `AIDA` + 17, `AROA` + 17. */
export function newId(random: Random, length: number): string {
  return pick(random, length, idAlphabet);
}

export function newSecret(random: Random): string {
  return pick(random, 40, secretAlphabet);
}

/** Both alphabets have a power of two letters, so every letter is equally likely. */
function pick(random: Random, length: number, alphabet: string): string {
  return Array.from(random.bytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
}
