// A volume that cannot be had now; the pod waits and tries again.

export class MountError extends Error {
  override name = 'MountError';
}
