// Whether two JSON values say the same: order of keys and undefined members do not count. Shared parts are not looked into.

export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, position) => sameValue(item, b[position]));
  }
  if (Array.isArray(b)) return false;
  return sameMembers(a as Record<string, unknown>, b as Record<string, unknown>);
}

/** As sameValue, but leaves out the members that `ignored` names. */
export function sameMembers(a: Record<string, unknown>, b: Record<string, unknown>, ignored: readonly string[] = []): boolean {
  for (const key of Object.keys(a)) if (!ignored.includes(key) && !sameValue(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (a[key] === undefined && b[key] !== undefined && !ignored.includes(key)) return false;
  return true;
}
