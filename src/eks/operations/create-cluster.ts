// CreateCluster: checks what keks can be asked for, keeps the record, and starts the control plane.
import type { Operation } from '#eks/context.ts';
import type { ClusterRecord } from '#eks/clusters/record.ts';
import { toTimestamp } from '#eks/clusters/record.ts';
import { invalidParameter, parameterNotThereYet, resourceInUse } from '#eks/errors.ts';
import type { CreateClusterRequest, Logging } from '#eks/generated/types.ts';
import { requestHash } from '#eks/request-hash.ts';
import { checkServiceCidr, defaultServiceCidr, vpcConfigOf } from '#eks/clusters/network-config.ts';
import { supportedVersion } from '#eks/clusters/version.ts';
import { checkTags } from '#eks/tags.ts';

export const createCluster: Operation<'CreateCluster'> = async (input, context, caller) => {
  const version = checkInput(input);
  const existing = context.clusters.get(input.name);
  const hash = requestHash(input);
  if (existing !== undefined) {
    if (existing.cluster.clientRequestToken !== undefined && existing.requestHash === hash) return { cluster: existing.cluster };
    throw resourceInUse(`Cluster already exists with name: ${input.name}`, { clusterName: input.name });
  }
  const id = context.random.bytes(16).toString('hex').toUpperCase();
  const { region, accountId } = context;
  const record: ClusterRecord = {
    id,
    cluster: {
      name: input.name,
      arn: `arn:aws:eks:${region}:${accountId}:cluster/${input.name}`,
      createdAt: toTimestamp(context.now()),
      version,
      roleArn: input.roleArn,
      resourcesVpcConfig: vpcConfigOf(input.resourcesVpcConfig, id),
      kubernetesNetworkConfig: {
        serviceIpv4Cidr: input.kubernetesNetworkConfig?.serviceIpv4Cidr ?? defaultServiceCidr,
        ipFamily: 'ipv4',
        elasticLoadBalancing: { enabled: false },
      },
      logging: loggingOf(input.logging),
      identity: { oidc: { issuer: `https://oidc.eks.${region}.amazonaws.com/id/${id}` } },
      status: 'CREATING',
      certificateAuthority: {},
      ...(input.clientRequestToken !== undefined && { clientRequestToken: input.clientRequestToken }),
      platformVersion: 'eks.1',
      tags: input.tags ?? {},
      health: { issues: [] },
      accessConfig: {
        bootstrapClusterCreatorAdminPermissions: input.accessConfig?.bootstrapClusterCreatorAdminPermissions ?? true,
        authenticationMode: input.accessConfig?.authenticationMode ?? 'CONFIG_MAP',
      },
      upgradePolicy: { supportType: input.upgradePolicy?.supportType ?? 'EXTENDED' },
      deletionProtection: input.deletionProtection ?? false,
    },
    creator: { canonicalArn: caller.canonicalArn },
    bootstrapCreatorAdmin: input.accessConfig?.bootstrapClusterCreatorAdminPermissions ?? true,
    requestHash: hash,
  };
  await context.clusters.create(record);
  return { cluster: record.cluster };
};

/** Answers the version to make. */
function checkInput(input: CreateClusterRequest): string {
  const subject = { clusterName: input.name };
  const version = input.version ?? supportedVersion;
  if (version !== supportedVersion) throw invalidParameter(`unsupported Kubernetes version ${version}`, subject);
  if (!/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/.test(input.roleArn)) throw invalidParameter(`Invalid Role Arn: '${input.roleArn}'`, subject);
  const subnets = input.resourcesVpcConfig.subnetIds ?? [];
  if (new Set(subnets).size < 2) throw invalidParameter('Subnets specified must be in at least two different AZs', subject);
  if ((input.resourcesVpcConfig.securityGroupIds ?? []).length > 5)
    throw invalidParameter('Cannot specify more than 5 security groups', subject);
  if (input.kubernetesNetworkConfig?.serviceIpv4Cidr !== undefined)
    checkServiceCidr(input.kubernetesNetworkConfig.serviceIpv4Cidr, subject);
  checkTags(input.tags, invalidParameter);
  refuseUnsupported(input);
  return version;
}

function refuseUnsupported(input: CreateClusterRequest): void {
  const subject = { clusterName: input.name };
  const unsupported: [boolean, string][] = [
    [input.kubernetesNetworkConfig?.ipFamily === 'ipv6', 'kubernetesNetworkConfig.ipFamily ipv6'],
    [input.kubernetesNetworkConfig?.elasticLoadBalancing?.enabled === true, 'kubernetesNetworkConfig.elasticLoadBalancing'],
    [input.outpostConfig !== undefined, 'outpostConfig'],
    [(input.encryptionConfig?.length ?? 0) > 0, 'encryptionConfig'],
    [input.remoteNetworkConfig !== undefined, 'remoteNetworkConfig'],
    [input.computeConfig?.enabled === true, 'computeConfig'],
    [input.storageConfig?.blockStorage?.enabled === true, 'storageConfig'],
    [input.zonalShiftConfig?.enabled === true, 'zonalShiftConfig'],
    [(input.controlPlaneScalingConfig?.tier ?? 'standard') !== 'standard', 'controlPlaneScalingConfig'],
    [input.bootstrapSelfManagedAddons === false, 'bootstrapSelfManagedAddons false'],
  ];
  for (const [asked, name] of unsupported) if (asked) throw parameterNotThereYet(name, subject);
}

const logTypes = ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'] as const;

function loggingOf(logging: Logging | undefined): Logging {
  const on = new Set((logging?.clusterLogging ?? []).filter((setup) => setup.enabled).flatMap((setup) => setup.types ?? []));
  const setups = [true, false].map((enabled) => ({ types: logTypes.filter((type) => on.has(type) === enabled), enabled }));
  return { clusterLogging: setups.filter((setup) => setup.types.length > 0) };
}
