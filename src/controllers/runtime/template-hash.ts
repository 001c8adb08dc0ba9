// A short stable name for a pod template: the part of a ReplicaSet's or ControllerRevision's name that tells it from its siblings.
import { canonicalJson } from './equality.ts';

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a over canonical JSON, in letters that are safe in names. The collision count gives another hash where one is taken. */
export function templateHash(template: unknown, collisionCount: number | undefined): string {
  const text = canonicalJson(template) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  let letters = '';
  for (const digit of String(hash)) letters += alphabet[digit.charCodeAt(0) % alphabet.length];
  return letters;
}
