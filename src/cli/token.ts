// keks token: an IAM token for one cluster, as kubectl's exec plugins give it. Signed here; nobody is asked.
import { issueIamToken } from '#aws/iam-token.ts';
import { systemClock, toTime } from '#lib/clock.ts';
import { homeOf } from '#fleet/home.ts';
import { adminCredentials } from './credentials.ts';

export async function token({ clusterName }: { clusterName: string }): Promise<void> {
  const credentials = await adminCredentials(homeOf());
  const issued = issueIamToken(clusterName, credentials, { region: 'us-east-1', nowMs: systemClock.now() });
  const credential = {
    kind: 'ExecCredential',
    apiVersion: 'client.authentication.k8s.io/v1',
    spec: {},
    status: { expirationTimestamp: toTime(issued.expirationMs), token: issued.token },
  };
  process.stdout.write(`${JSON.stringify(credential)}\n`);
}
