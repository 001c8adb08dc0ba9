// The names that OpenAPI gives to messages: those of upstream's Go packages, so that clients find what they know.

/** `core/v1.PodSpec` → `io.k8s.api.core.v1.PodSpec` */
export function definitionName(message: string): string {
  const dot = message.lastIndexOf('.');
  const [folder = '', version = ''] = message.slice(0, dot).split('/');
  return `${packageOf(folder, version)}.${message.slice(dot + 1)}`;
}

function packageOf(folder: string, version: string): string {
  if (folder === 'meta') return `io.k8s.apimachinery.pkg.apis.meta.${version}`;
  if (folder === 'apiextensions') return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}`;
  if (folder === 'apiregistration') return `io.k8s.kube-aggregator.pkg.apis.apiregistration.${version}`;
  if (folder === 'metrics') return `io.k8s.metrics.pkg.apis.metrics.${version}`;
  if (folder === 'pkg') return `io.k8s.apimachinery.pkg.${version}`;
  return `io.k8s.api.${folder}.${version}`;
}

export const quantityName = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
export const intOrStringName = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
export const timeName = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';
export const microTimeName = 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime';
export const rawName = 'io.k8s.apimachinery.pkg.runtime.RawExtension';
