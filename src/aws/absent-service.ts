// AWS services that keks does not have: each caller gets a refusal that its SDK can read, which says so.
import type { HttpRequest, HttpResponse } from '#lib/http/exchange.ts';
import { AwsError, queryError } from './aws-error.ts';
import { xmlDocument } from './xml.ts';

/** `service` is the one of the credential scope: ec2, s3, ssm, … */
export function refuseAbsentService(service: string, request: HttpRequest, requestId: string): HttpResponse {
  const error = new AwsError('NotImplemented', 501, `keks serves EKS, STS and IAM; ${service} is not there`);
  const headers = { 'x-amzn-requestid': requestId };
  if (request.headers['content-type']?.startsWith('application/x-amz-json')) {
    const body = JSON.stringify({ __type: error.code, message: error.message });
    return { status: error.status, headers: { ...headers, 'content-type': 'application/x-amz-json-1.1' }, body: Buffer.from(body) };
  }
  const said = { Code: error.code, Message: error.message };
  const xml = { ...headers, 'content-type': 'text/xml' };
  if (service === 's3')
    return { status: error.status, headers: xml, body: Buffer.from(xmlDocument('Error', '', { ...said, RequestId: requestId })) };
  if (service === 'ec2') {
    const document = xmlDocument('Response', '', { Errors: { Error: said }, RequestID: requestId });
    return { status: error.status, headers: xml, body: Buffer.from(document) };
  }
  return queryError(error, requestId, `https://${service}.amazonaws.com/doc/`);
}
