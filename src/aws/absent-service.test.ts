// What callers of other services read: a refusal in their own protocol.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpRequest } from '#lib/http/exchange.ts';
import { refuseAbsentService } from './absent-service.ts';

const said = (service: string, contentType = '') => {
  const response = refuseAbsentService(service, { headers: { 'content-type': contentType } } as unknown as HttpRequest, 'id');
  assert(!('upgraded' in response));
  assert.equal(response.status, 501);
  return String(response.body);
};
const message = 'keks serves EKS, STS and IAM; SERVICE is not there';

test('each protocol is refused in its own form', () => {
  const of = (service: string) => message.replace('SERVICE', service);
  assert.equal(
    said('ec2'),
    `<Response><Errors><Error><Code>NotImplemented</Code><Message>${of('ec2')}</Message></Error></Errors><RequestID>id</RequestID></Response>\n`,
  );
  assert.equal(said('s3'), `<Error><Code>NotImplemented</Code><Message>${of('s3')}</Message><RequestId>id</RequestId></Error>\n`);
  assert.equal(said('ssm', 'application/x-amz-json-1.1'), `{"__type":"NotImplemented","message":"${of('ssm')}"}`);
  assert.match(
    said('autoscaling'),
    /<ErrorResponse .*<Code>NotImplemented<\/Code><Message>keks serves EKS, STS and IAM; autoscaling is not there/,
  );
});
