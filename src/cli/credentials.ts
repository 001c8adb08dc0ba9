// The admin's access key, as keks' own IAM wrote it into the home.
import { readFile } from 'node:fs/promises';
import type { SigningCredentials } from '#aws/sign.ts';
import type { Home } from '#fleet/home.ts';
import { CommandFailure } from './failure.ts';

export async function adminCredentials(home: Home): Promise<SigningCredentials> {
  const text = await readFile(home.awsCredentials, 'utf8').catch(() => '');
  const accessKeyId = /^aws_access_key_id = (\S+)$/m.exec(text)?.[1];
  const secretAccessKey = /^aws_secret_access_key = (\S+)$/m.exec(text)?.[1];
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  throw new CommandFailure(`no credentials in ${home.awsCredentials}; keks has not been started on this home: keks up`);
}
