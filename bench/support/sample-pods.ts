// Objects to write: pods as kubectl makes them, and config maps of a given size.
import type { ConfigMap, Pod } from '#api/generated/core-v1.ts';

export function samplePod(name: string, spec: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'bench' } },
    spec: { containers: [{ name: 'web', image: 'nginx', resources: { requests: { cpu: '1m', memory: '1Mi' } } }], ...spec },
  } as Pod;
}

/** A pod that no scheduler looks at, as large as one of a real application is. */
export function largePod(name: string): Pod {
  const env = Array.from({ length: 20 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `value-of-setting-${index}-of-the-application`,
  }));
  const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } };
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10 };
  const ports = [{ containerPort: 8080, name: 'http' }];
  const container = {
    name: 'app',
    image: 'registry.example.com/team/app:v1.2.3',
    env,
    resources,
    ports,
    readinessProbe: probe,
    livenessProbe: probe,
  };
  const sidecar = { name: 'proxy', image: 'registry.example.com/mesh/proxy:v9', resources, ports: [{ containerPort: 15001 }] };
  return samplePod(name, { schedulerName: 'nobody', containers: [container, sidecar] });
}

/** About 2 KB of JSON. */
export function sampleConfigMap(name: string): ConfigMap {
  const data = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`setting-${index}`, 'x'.repeat(100)]));
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels: { app: 'bench' } }, data } as ConfigMap;
}
