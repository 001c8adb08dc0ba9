// The OpenID documents by which others (IAM roles for service accounts) verify service account tokens.
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

export const openidPaths = ['/.well-known/openid-configuration', '/openid/v1/jwks'] as const;

/** Handlers by path. `jwksUri` is where others reach the second one. */
export function oidcDiscovery(
  tokens: ServiceAccountTokens,
  jwksUri: string,
): Record<(typeof openidPaths)[number], (request: HttpRequest) => Promise<HttpResponse>> {
  const cache = { 'cache-control': 'public, max-age=3600' };
  return {
    '/.well-known/openid-configuration': async () => {
      const keys = await tokens.publicKeys();
      const document = {
        issuer: tokens.issuer,
        jwks_uri: jwksUri,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [...new Set(keys.map((key) => key.alg))],
      };
      return { status: 200, headers: { 'content-type': 'application/json', ...cache }, body: Buffer.from(JSON.stringify(document)) };
    },
    '/openid/v1/jwks': async () => {
      const body = Buffer.from(JSON.stringify({ keys: await tokens.publicKeys() }));
      return { status: 200, headers: { 'content-type': 'application/jwk-set+json', ...cache }, body };
    },
  };
}
