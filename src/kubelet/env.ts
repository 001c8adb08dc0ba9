// A container's environment: services, envFrom, env with its sources, $(NAME) expansion. What is missing refuses the container.
import type { Container, EnvVar, EnvVarSource, Pod } from '#api/generated/core-v1.ts';
import type { KubeletContext } from './context.ts';
import { expand } from './expand.ts';
import { fieldValue, resourceValue } from './downward.ts';
import { serviceVariables } from './service-env.ts';

/** A container that cannot be made as its spec asks: `CreateContainerConfigError`. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

export interface EnvSources extends Pick<KubeletContext, 'objects' | 'services' | 'node'> {
  podIps: readonly string[];
  hostIps: readonly string[];
}

export async function containerEnv(pod: Pod, container: Container, sources: EnvSources): Promise<Map<string, string>> {
  const env = new Map<string, string>();
  await addEnvFrom(env, pod, container, sources);
  const services = serviceVariables(pod, sources.services);
  // References may name service variables too, so they are known while the values are made.
  const known = new Map([...services, ...env]);
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, pod, container, sources, known);
    if (value === undefined) continue;
    env.set(variable.name, value);
    known.set(variable.name, value);
  }
  for (const [name, value] of services) if (!env.has(name)) env.set(name, value);
  return env;
}

async function addEnvFrom(env: Map<string, string>, pod: Pod, container: Container, { objects }: EnvSources): Promise<void> {
  const namespace = pod.metadata.namespace!;
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef !== undefined) {
      const name = configMapRef.name ?? '';
      const configMap = await objects.configMap(namespace, name);
      if (configMap === undefined && !configMapRef.optional) throw new ConfigError(`configmap "${name}" not found`);
      for (const [key, value] of Object.entries(configMap?.data ?? {})) env.set(prefix + key, value);
    }
    if (secretRef !== undefined) {
      const name = secretRef.name ?? '';
      const secret = await objects.secret(namespace, name);
      if (secret === undefined && !secretRef.optional) throw new ConfigError(`secret "${name}" not found`);
      for (const [key, value] of Object.entries(secret?.data ?? {})) env.set(prefix + key, Buffer.from(value, 'base64').toString());
    }
  }
}

async function valueOf(
  variable: EnvVar,
  pod: Pod,
  container: Container,
  sources: EnvSources,
  known: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  if (variable.valueFrom === undefined) return expand(variable.value ?? '', known);
  const { fieldRef, resourceFieldRef, fileKeyRef } = variable.valueFrom;
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, sources);
  if (resourceFieldRef !== undefined) return resourceValue(pod, container, resourceFieldRef, sources.node().status?.allocatable ?? {});
  if (fileKeyRef !== undefined) throw new ConfigError('environment variables from files (fileKeyRef) are not supported by this kubelet');
  return keyValue(variable.valueFrom, pod.metadata.namespace!, sources);
}

async function keyValue(source: EnvVarSource, namespace: string, { objects }: EnvSources): Promise<string | undefined> {
  const { configMapKeyRef, secretKeyRef } = source;
  if (configMapKeyRef !== undefined) {
    const { name = '', key, optional } = configMapKeyRef;
    const configMap = await objects.configMap(namespace, name);
    const value = configMap?.data?.[key];
    if (value !== undefined || optional) return value;
    throw new ConfigError(
      configMap === undefined ? `configmap "${name}" not found` : `couldn't find key ${key} in ConfigMap ${namespace}/${name}`,
    );
  }
  if (secretKeyRef !== undefined) {
    const { name = '', key, optional } = secretKeyRef;
    const secret = await objects.secret(namespace, name);
    const value = secret?.data?.[key];
    if (value !== undefined) return Buffer.from(value, 'base64').toString();
    if (optional) return undefined;
    throw new ConfigError(secret === undefined ? `secret "${name}" not found` : `couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  return '';
}
