// Requests that cannot be — selectors, paths, methods, media types, patches, revisions: the exact status, reason and message.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configmaps, deployment, deployments, patch, pods, post, put, startBadInputServer, template } from './bad-input.fixture.ts';
import { call } from './server.fixture.ts';

const { server, clock, table } = await startBadInputServer();

const select = (selector: string) => `${pods}?labelSelector=${encodeURIComponent(selector)}`;
const fields = (selector: string) => `${pods}?fieldSelector=${encodeURIComponent(selector)}`;

table('impossible selectors', [
  [select('a in (b'), {}, 400, 'BadRequest', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
  [select('!!'), {}, 400, 'BadRequest', "unable to parse requirement: found '!', expected: identifier"],
  [select('a=b=c'), {}, 400, 'BadRequest', "found '=', expected: ',' or 'end of string'"],
  [select('a,,b'), {}, 400, 'BadRequest', "found ',', expected: identifier after ','"],
  [
    select('x>y'),
    {},
    400,
    'BadRequest',
    "unable to parse requirement: values[0]: Invalid value: \"y\": for 'Gt', 'Lt' operators, the value must be an integer",
  ],
  [
    select('-a=b'),
    {},
    400,
    'BadRequest',
    /^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters/,
  ],
  [fields('x'), {}, 400, 'BadRequest', "invalid selector: 'x'; can't understand 'x'"],
  [fields('foo=bar'), {}, 400, 'BadRequest', 'field label not supported: foo'],
  [
    `${configmaps}?fieldSelector=data.a%3Db`,
    {},
    400,
    'BadRequest',
    '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  [
    deployments,
    post(deployment({ selector: { matchLabels: { a: 'b' } }, template: template({ a: 'c' }) })),
    422,
    'Invalid',
    'Deployment.apps "d" is invalid: spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`',
  ],
  [
    deployments,
    post(deployment({ selector: { matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] }, template: template({ a: 'b' }) })),
    422,
    'Invalid',
    /spec.selector.matchExpressions\[0\].operator: Invalid value: "Near": not a valid selector operator/,
  ],
]);

const notFound = 'the server could not find the requested resource';
const notAllowed = 'the server does not allow this method on the requested resource';

table('paths and methods that there are not', [
  ['/api/v1/nopes', {}, 404, 'NotFound', notFound],
  ['/apis/apps/v9/deployments', {}, 404, 'NotFound', notFound],
  ['/nope', {}, 404, 'NotFound', notFound],
  [`${pods}/a/nope`, {}, 404, 'NotFound', notFound],
  ['/api/v1/namespaces/default/nodes', {}, 404, 'NotFound', notFound],
  [`${configmaps}/none`, {}, 404, 'NotFound', 'configmaps "none" not found'],
  [`${deployments}/none/scale`, {}, 404, 'NotFound', 'deployments.apps "none" not found'],
  [`${configmaps}/%zz`, {}, 400, 'BadRequest', 'invalid URL escape in "%zz"'],
  [`${configmaps}/a`, post({}), 405, 'MethodNotAllowed', notAllowed],
  [configmaps, put({}), 405, 'MethodNotAllowed', notAllowed],
  ['/api/v1/configmaps', post({}), 405, 'MethodNotAllowed', notAllowed],
  ['/api/v1/namespaces', { method: 'DELETE' }, 405, 'MethodNotAllowed', notAllowed],
  [configmaps, { method: 'BREW' }, 405, 'MethodNotAllowed', notAllowed],
]);

const readable =
  'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf';
const patches =
  /^the body of the request was in an unknown format - accepted media types include: application\/json-patch\+json, application\/merge-patch\+json, application\/strategic-merge-patch\+json/;
const writable = 'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf';

table('media types', [
  [configmaps, post('x', { 'content-type': 'text/plain' }), 415, 'UnsupportedMediaType', readable],
  [configmaps, post('x', { 'content-type': ';;;' }), 415, 'UnsupportedMediaType', readable],
  [`${configmaps}/a`, { method: 'PATCH', body: {}, headers: { 'content-type': 'application/json' } }, 415, 'UnsupportedMediaType', patches],
  [configmaps, { headers: { accept: 'text/html' } }, 406, 'NotAcceptable', writable],
  [configmaps, { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v9' } }, 406, 'NotAcceptable', writable],
]);

const refused = 'the server rejected our request due to an error in our request';
const patched = (value: string, detail: string) => ` "" is invalid: patch: Invalid value: ${JSON.stringify(value)}: ${detail}`;

table('patches', [
  [`${configmaps}/a`, patch('strategic-merge', '{"a"'), 400, 'BadRequest', 'error decoding patch: unexpected end of JSON input'],
  [
    `${configmaps}/a`,
    patch('merge', []),
    400,
    'BadRequest',
    'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  ],
  [`${configmaps}/a`, patch('json', {}), 400, 'BadRequest', 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
  [`${configmaps}/a`, patch('json', [5]), 400, 'BadRequest', 'json: cannot unmarshal number into Go value of type jsonpatch.Operation'],
  [`${configmaps}/a`, patch('json', [{ op: 'frob', path: '/data' }]), 422, 'Invalid', refused],
  [`${configmaps}/a`, patch('json', [{ op: 'remove', path: '/nope' }]), 422, 'Invalid', refused],
  [`${configmaps}/a`, patch('json', [{ op: 'test', path: '/data/a', value: 'z' }]), 422, 'Invalid', refused],
  [
    `${configmaps}/a`,
    patch('json', [{ op: 'replace', path: '/data', value: 5 }]),
    422,
    'Invalid',
    /^ "" is invalid: patch: Invalid value: ".*": json: cannot unmarshal number into Go struct field ConfigMap.data of type map\[string\]string$/,
  ],
  [
    `${configmaps}/a`,
    patch('merge', { data: 5 }),
    422,
    'Invalid',
    /^ "" is invalid: patch: Invalid value: ".*\\"data\\":5.*": json: cannot unmarshal number into Go struct field ConfigMap.data of type map\[string\]string$/,
  ],
  [`${configmaps}/a`, patch('strategic-merge', { data: 5 }), 422, 'Invalid', patched('map[data:5]', 'cannot restore map from int64')],
  [
    `${configmaps}/a`,
    patch('strategic-merge', { data: { b: 5, a: null } }),
    422,
    'Invalid',
    patched('map[data:map[a:<nil> b:5]]', 'cannot convert int64 to string'),
  ],
  [
    `${configmaps}/a`,
    patch('strategic-merge', { immutable: 'yes' }),
    422,
    'Invalid',
    patched('map[immutable:yes]', 'unrecognized type: bool'),
  ],
  [
    `${configmaps}/a`,
    patch('strategic-merge', { metadata: { finalizers: 'x' } }),
    422,
    'Invalid',
    patched('map[metadata:map[finalizers:x]]', 'cannot restore slice from string'),
  ],
  [
    `${configmaps}/a?fieldValidation=Strict`,
    patch('strategic-merge', '{"nope":1,"nope":2}'),
    422,
    'Invalid',
    patched('map[nope:2]', 'strict decoding error: duplicate field "nope", unknown field "nope"'),
  ],
  [
    `${configmaps}/a`,
    patch('merge', { metadata: { name: 'other' } }),
    400,
    'BadRequest',
    'the name of the object (other) does not match the name on the URL (a)',
  ],
  [
    `${configmaps}/a`,
    patch('merge', { metadata: { resourceVersion: '1' } }),
    409,
    'Conflict',
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [`${configmaps}/none`, patch('merge', {}), 404, 'NotFound', 'configmaps "none" not found'],
]);

const token = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

table('resourceVersion, limit and continue', [
  [
    `${configmaps}?resourceVersion=abc`,
    {},
    400,
    'BadRequest',
    'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  ],
  [
    `${configmaps}?watch=1&resourceVersion=abc`,
    {},
    400,
    'BadRequest',
    'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  ],
  [`${configmaps}?limit=abc`, {}, 400, 'BadRequest', 'strconv.ParseInt: parsing "abc": invalid syntax'],
  [`${configmaps}?continue=abc`, {}, 400, 'BadRequest', "continue key is not valid: invalid character 'i' looking for beginning of value"],
  [`${configmaps}?continue=%21`, {}, 400, 'BadRequest', 'continue key is not valid: illegal base64 data at input byte 0'],
  [
    `${configmaps}?continue=${token({ v: 'x' })}`,
    {},
    400,
    'BadRequest',
    'continue key is not valid: server does not recognize this encoded version "x"',
  ],
  [
    `${configmaps}?resourceVersionMatch=Exact`,
    {},
    422,
    'Invalid',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ],
  [
    `${configmaps}?watch=1&sendInitialEvents=true`,
    {},
    422,
    'Invalid',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  ],
]);

test('a resourceVersion from the future is waited for three seconds and is 504 then, with a time to retry', async () => {
  const asked = call(server, `${configmaps}?resourceVersion=99999`);
  for (let second = 0; second < 4; second++) await clock.advance(1000);
  const { status, json, headers } = await asked;
  assert.deepEqual([status, json.message], [504, `Too large resource version: 99999, current: ${server.revision}`]);
  assert.equal(headers['retry-after'], '1');
});
