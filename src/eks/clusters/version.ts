// The Kubernetes version that keks' control planes speak.
export const supportedVersion = '1.36';
