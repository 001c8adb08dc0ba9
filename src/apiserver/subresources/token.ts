// Token: a service account's token for an audience and a time; the issuer decides what it may ask for, and signs.
import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import type { ServiceAccount } from '#api/generated/core-v1.ts';
import { badRequest, notImplemented } from '#api/meta/errors.ts';
import { getObject } from '../endpoints/get.ts';
import type { Core } from '../registry/core.ts';
import type { ServedResource } from '../registry/served-resource.ts';
import type { SubresourceCreate } from './binding.ts';

export async function requestToken(core: Core, accounts: ServedResource, request: SubresourceCreate): Promise<TokenRequest> {
  if (core.issueToken === undefined) throw notImplemented('this server has no key to sign service account tokens with');
  const { namespace, name } = request;
  const tokenRequest = request.body as unknown as TokenRequest;
  const account = (await getObject(core, accounts, { namespace, name, resourceVersion: '' })).object as ServiceAccount;
  const given = tokenRequest.metadata?.name;
  if (given && given !== name) throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  const metadata = { ...tokenRequest.metadata, name, namespace };
  return await core.issueToken({ account, tokenRequest: { ...tokenRequest, metadata } });
}
