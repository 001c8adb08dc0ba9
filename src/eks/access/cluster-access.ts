// Who may enter a cluster: IAM tokens become Kubernetes users, and EKS access policies say what their holders may do.
// Policies are evaluated by an authorizer of their own, not as RBAC objects, so impersonation drops them as in EKS.
import type { AccessAttributes, AccessDecision, Authorizer, TokenAuthenticator, UserInfo } from '#api/meta/access.ts';
import type { CredentialStore, Principal } from '#aws/credentials.ts';
import { iamTokenVerifier, isIamToken } from '#aws/iam-token.ts';

export interface ClusterAccessOptions {
  clusterName: string;
  credentials: CredentialStore;
  now: () => number;
  ownHosts: readonly string[];
  /** The IAM principal that created the cluster, if it is to have admin permissions. */
  creatorArn: () => string | undefined;
  /** The node behind a session of a node group's role; the session is named after the instance. */
  nodeOf: (roleArn: string, instanceId: string) => { nodeName?: string } | undefined;
}

export function iamAuthenticator(options: ClusterAccessOptions): TokenAuthenticator {
  const { clusterName, credentials, ownHosts } = options;
  const verify = iamTokenVerifier({ clusterName, credentials, ownHosts });
  return async (token) => {
    if (!isIamToken(token)) return undefined;
    const principal = verify(token, options.now());
    const user = userOf(principal, options);
    // Known to IAM, yet nothing maps it into this cluster.
    if (user === undefined) throw new Error(`no access entry for ${principal.canonicalArn}`);
    return user;
  };
}

/** ClusterAdmin for the cluster's creator: `*` on everything. */
export function accessPolicyAuthorizer(options: Pick<ClusterAccessOptions, 'creatorArn'>): Authorizer {
  const none: AccessDecision = { decision: 'none', reason: '' };
  return ({ user }: AccessAttributes) => {
    const arn = user.extra?.canonicalArn?.[0];
    if (arn === undefined || arn !== options.creatorArn() || !user.uid?.startsWith(uidPrefix)) return none;
    return { decision: 'allow', reason: `EKS Access Policy: allowed by ClusterRoleBinding "${arn}+AmazonEKSClusterAdminPolicy"` };
  };
}

const uidPrefix = 'aws-iam-authenticator:';

function userOf(principal: Principal, options: ClusterAccessOptions): UserInfo | undefined {
  if (principal.canonicalArn === options.creatorArn()) return { name: usernameOf(principal), groups: [], ...identityOf(principal) };
  const node = principal.sessionName === '' ? undefined : options.nodeOf(principal.canonicalArn, principal.sessionName);
  if (node?.nodeName === undefined) return undefined;
  return { name: `system:node:${node.nodeName}`, groups: ['system:bootstrappers', 'system:nodes'], ...identityOf(principal) };
}

/** A user's ARN; for a session the assumed role's, with @ in its name made harmless. */
function usernameOf(principal: Principal): string {
  if (principal.sessionName === '') return principal.arn;
  const role = principal.arn.split('/')[1]!;
  return `arn:aws:sts::${principal.accountId}:assumed-role/${role}/${principal.sessionName.replaceAll('@', '-')}`;
}

function identityOf(principal: Principal): Pick<UserInfo, 'uid' | 'extra'> {
  const id = principal.userId.split(':')[0]!;
  return {
    uid: `${uidPrefix}${principal.accountId}:${id}`,
    extra: {
      accessKeyId: [principal.accessKeyId],
      arn: [principal.arn],
      canonicalArn: [principal.canonicalArn],
      principalId: [id],
      sessionName: [principal.sessionName],
      'sigs.k8s.io/aws-iam-authenticator/principalId': [id],
    },
  };
}
