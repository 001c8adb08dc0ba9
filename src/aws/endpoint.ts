// One address for all of AWS: a request goes to the service that its signature or its Action names.
import type { HttpHandler, HttpRequest } from '#lib/http/exchange.ts';
import { refuseAbsentService } from './absent-service.ts';
import { iamService } from './iam.ts';
import type { QueryServerOptions } from './query-protocol.ts';
import { queryHandler } from './query-protocol.ts';
import { sts } from './sts.ts';

/** `eks` answers whatever no other service is named in. */
export function awsEndpoint(eks: HttpHandler, options: QueryServerOptions): HttpHandler {
  // STS' global endpoint and IAM are signed for us-east-1, wherever one is.
  const regions = [...new Set([...options.regions, 'us-east-1'])];
  const stsHandler = queryHandler(sts, { ...options, regions });
  const iamHandler = queryHandler(iamService, { ...options, regions });
  return async (request) => {
    const service = serviceOf(request) ?? serviceOfForm(request);
    if (service === 'sts') return stsHandler(request);
    if (service === 'iam') return iamHandler(request);
    // EKS has nothing at the root, where most services have everything.
    if (service !== 'eks' && request.path === '/') return refuseAbsentService(service, request, options.random.uuid());
    return eks(request);
  };
}

/** The service of the credential scope: `…/20261123/us-east-1/sts/aws4_request`. */
function serviceOf({ headers, query }: HttpRequest): string | undefined {
  const scope = /[/]\d{8}[/][\w-]+[/]([\w-]+)[/]aws4_request/;
  return scope.exec(headers.authorization ?? '')?.[1] ?? scope.exec(query.replace(/%2F/gi, '/'))?.[1];
}

/** An unsigned form is STS' business: it refuses in XML, which is what the caller reads. */
function serviceOfForm(request: HttpRequest): string {
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  if (request.path !== '/' || !(form || request.query.includes('Action='))) return 'eks';
  return 'sts';
}
