// The token with which a list goes on: the revision it is a snapshot of and the key it stopped behind, in upstream's encoding.
import { badRequest } from '#api/meta/errors.ts';
import { jsonSyntaxError } from '#api/meta/json-scan.ts';

export interface Continuation {
  /** 0: whatever is latest, for lists that go on although their revision is gone. */
  revision: number;
  /** Relative to the list's prefix; the list goes on behind it. */
  after: string;
}

const inconsistent = -1;

export function encodeContinue({ revision, after }: Continuation): string {
  const token = { v: 'meta.k8s.io/v1', rv: revision === 0 ? inconsistent : revision, start: `${after}\u0000` };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

export function decodeContinue(text: string): Continuation {
  const illegal = text.search(/[^A-Za-z0-9_-]/);
  if (illegal >= 0) throw badRequest(`continue key is not valid: illegal base64 data at input byte ${illegal}`);
  const decoded = Buffer.from(text, 'base64url').toString();
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = JSON.parse(decoded) as typeof token;
  } catch {
    throw badRequest(`continue key is not valid: ${jsonSyntaxError(decoded)}`);
  }
  const { v, rv, start } = token ?? {};
  if (v !== 'meta.k8s.io/v1') {
    throw badRequest(
      `continue key is not valid: server does not recognize this encoded version ${typeof v === 'string' ? JSON.stringify(v) : '""'}`,
    );
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) {
    throw badRequest('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') {
    throw badRequest('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  }
  return { revision: rv < 0 ? 0 : rv, after: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}
