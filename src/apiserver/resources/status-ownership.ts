// Status belongs to the status subresource: the main resource drops it on create and keeps it on update.

export function dropStatus(object: { status?: unknown }): void {
  object.status = {};
}

export function keepStatus<T extends { status?: unknown }>(object: T, old: T): void {
  if (old.status === undefined) delete object.status;
  else object.status = old.status;
}
