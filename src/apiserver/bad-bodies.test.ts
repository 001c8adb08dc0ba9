// Bodies that cannot be: for each kind of mistake the exact status, reason and message, as upstream's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configMap,
  configmaps,
  deployment,
  deployments,
  patch,
  pod,
  pods,
  post,
  put,
  remove,
  startBadInputServer,
  yaml,
} from './bad-input.fixture.ts';
import { call } from './server.fixture.ts';

const { server, table } = await startBadInputServer();
const dnsName =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const unread = (detail: string) =>
  `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ${detail}`;
const header = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

table('malformed JSON and YAML', [
  [configmaps, post('{"apiVersion":"v1",'), 400, 'BadRequest', unread('unexpected end of JSON input ({"apiVersion":"v1",)')],
  [configmaps, post(''), 400, 'BadRequest', unread('unexpected end of JSON input (<empty>)')],
  [configmaps, post('{a:1}'), 400, 'BadRequest', unread("invalid character 'a' looking for beginning of object key string ({a:1})")],
  [configmaps, post('[]'), 400, 'BadRequest', unread(`json: cannot unmarshal array into Go value of type ${header} (5b5d)`)],
  [
    configmaps,
    post('a: b: c', yaml),
    400,
    'BadRequest',
    unread('error converting YAML to JSON: yaml: mapping values are not allowed in this context (613a20623a2063)'),
  ],
  [
    configmaps,
    post('a:\n\tb: c', yaml),
    400,
    'BadRequest',
    unread('error converting YAML to JSON: yaml: line 2: found character that cannot start any token (613a0a09623a2063)'),
  ],
  [
    configmaps,
    post('hello', yaml),
    400,
    'BadRequest',
    unread(`json: cannot unmarshal string into Go value of type ${header} (68656c6c6f)`),
  ],
]);

table('objects of another kind or version than the path says', [
  [
    configmaps,
    post(pod({})),
    400,
    'BadRequest',
    'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
  ],
  [
    configmaps,
    post({ ...configMap('x'), apiVersion: 'v2' }),
    400,
    'BadRequest',
    'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  ],
  [
    configmaps,
    post(configMap('x', { metadata: { name: 'x', namespace: 'other' } })),
    400,
    'BadRequest',
    'the namespace of the provided object does not match the namespace sent on the request',
  ],
  [`${configmaps}/a`, put(configMap('b')), 400, 'BadRequest', 'the name of the object (b) does not match the name on the URL (a)'],
]);

const unmarshal = (kind: string, detail: string) => `${kind} in version "v1" cannot be handled as a ${kind}: ${detail}`;

table('wrong types', [
  [
    pods,
    post(pod({ containers: 'c' })),
    400,
    'BadRequest',
    unmarshal('Pod', 'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container'),
  ],
  [
    pods,
    post(pod({ hostNetwork: 'yes' })),
    400,
    'BadRequest',
    unmarshal('Pod', 'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool'),
  ],
  [
    deployments,
    post(deployment({ replicas: 'two' })),
    400,
    'BadRequest',
    unmarshal('Deployment', 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'),
  ],
  [
    deployments,
    post(deployment({ replicas: 1.5 })),
    400,
    'BadRequest',
    unmarshal('Deployment', 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'),
  ],
  [
    deployments,
    post(deployment({ replicas: 3e9 })),
    400,
    'BadRequest',
    unmarshal('Deployment', 'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32'),
  ],
  [
    configmaps,
    post(configMap('x', { metadata: 'x' })),
    400,
    'BadRequest',
    unmarshal('ConfigMap', 'json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta'),
  ],
  [
    configmaps,
    post(configMap('x', { data: { a: 1 } })),
    400,
    'BadRequest',
    unmarshal('ConfigMap', 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'),
  ],
  [
    configmaps,
    post(configMap('x', { metadata: { name: 'x', creationTimestamp: 'yesterday' } })),
    400,
    'BadRequest',
    unmarshal('ConfigMap', 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
  ],
  [
    pods,
    post(pod({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: 'x' } } }] })),
    400,
    'BadRequest',
    unmarshal('Pod', "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
  ],
]);

const misspelt = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","nope":1},"datta":{},"data":{"a":"1","a":"2"}}';

table('unknown and duplicate fields under Strict, and other words', [
  [
    `${configmaps}?fieldValidation=Strict`,
    post(misspelt),
    400,
    'BadRequest',
    unmarshal('ConfigMap', 'strict decoding error: duplicate field "data.a", unknown field "metadata.nope", unknown field "datta"'),
  ],
  [
    `${configmaps}?fieldValidation=Strict`,
    post('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: "1"\n  a: "2"\n', yaml),
    400,
    'BadRequest',
    unmarshal('ConfigMap', 'strict decoding error: line 6: key "a" already set in map'),
  ],
  [
    `${configmaps}?fieldValidation=Loose`,
    post(misspelt),
    422,
    'Invalid',
    'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loose": supported values: "Ignore", "Warn", "Strict"',
  ],
  [
    `${configmaps}?dryRun=Maybe`,
    post(configMap('x')),
    422,
    'Invalid',
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Maybe"]: supported values: "All"',
  ],
  [
    `${configmaps}?fieldManager=${'x'.repeat(129)}`,
    post(configMap('x')),
    422,
    'Invalid',
    'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
  ],
]);

test('unknown and duplicate fields are dropped in silence under Ignore, and with a warning each under Warn', async () => {
  const written = async (validation: string) => {
    const { status, headers } = await call(server, `${configmaps}?dryRun=All&fieldValidation=${validation}`, post(misspelt));
    return [status, headers['warning']];
  };
  const warnings = ['duplicate field \\"data.a\\"', 'unknown field \\"metadata.nope\\"', 'unknown field \\"datta\\"'];
  assert.deepEqual(await written('Ignore'), [201, undefined]);
  assert.deepEqual(await written('Warn'), [201, warnings.map((text) => `299 - "${text}"`).join(', ')]);
  assert.deepEqual(await written(''), await written('Warn'));
});

table('bodies that are too large', [
  [
    configmaps,
    post(configMap('x', { data: { a: 'x'.repeat(4 << 20) } })),
    413,
    'RequestEntityTooLarge',
    'Request entity too large: limit is 3145728',
  ],
  [
    configmaps,
    post(configMap('x', { data: { a: 'x'.repeat((1 << 20) + 1) } })),
    422,
    'Invalid',
    'ConfigMap "x" is invalid: : Too long: may not be more than 1048576 bytes',
  ],
  [
    `${configmaps}/a`,
    patch(
      'json',
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'x' })),
    ),
    413,
    'RequestEntityTooLarge',
    'The allowed maximum operations in a JSON patch is 10000, got 10001',
  ],
]);

table('illegal names', [
  [configmaps, post(configMap('Bad')), 422, 'Invalid', `ConfigMap "Bad" is invalid: metadata.name: Invalid value: "Bad": ${dnsName}`],
  [configmaps, post(configMap('a/b')), 422, 'Invalid', `ConfigMap "a/b" is invalid: metadata.name: Invalid value: "a/b": ${dnsName}`],
  [
    configmaps,
    post(configMap('')),
    422,
    'Invalid',
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  ],
  [configmaps, post(configMap('x'.repeat(254))), 422, 'Invalid', /: must be no more than 253 (characters|bytes)/],
  [
    '/api/v1/namespaces',
    post({ metadata: { name: 'A' } }),
    422,
    'Invalid',
    /^Namespace "A" is invalid: metadata.name: Invalid value: "A": a lowercase RFC 1123 label must consist of/,
  ],
]);

table('writes that come too late or too early', [
  [configmaps, post(configMap('a')), 409, 'AlreadyExists', 'configmaps "a" already exists'],
  [
    `${configmaps}/a`,
    put(configMap('a', { metadata: { name: 'a', resourceVersion: '1' } })),
    409,
    'Conflict',
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [
    `${configmaps}/a`,
    put(configMap('a', { metadata: { name: 'a', uid: 'other' } })),
    409,
    'Conflict',
    /^Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: \/registry\/configmaps\/default\/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: /,
  ],
  [
    `${configmaps}/a`,
    remove({ preconditions: { uid: 'other' } }),
    409,
    'Conflict',
    /the UID in the precondition \(other\) does not match the UID in record \([-0-9a-f]{36}\). The object might have been deleted and then recreated$/,
  ],
  [
    `${configmaps}/a`,
    remove({ preconditions: { resourceVersion: '1' } }),
    409,
    'Conflict',
    /the ResourceVersion in the precondition \(1\) does not match the ResourceVersion in record \(\d+\). The object might have been modified$/,
  ],
  [`${configmaps}/none`, put(configMap('none')), 404, 'NotFound', 'configmaps "none" not found'],
  [configmaps.replace('default', 'none'), post(configMap('x')), 404, 'NotFound', 'namespaces "none" not found'],
  // Upstream, too, has no better status for it.
  [
    configmaps,
    post(configMap('x', { metadata: { name: 'x', resourceVersion: '5' } })),
    500,
    undefined,
    'resourceVersion should not be set on objects to be created',
  ],
]);

table('deletes with impossible options', [
  [
    `${configmaps}/a`,
    remove({ propagationPolicy: 'Never' }),
    422,
    'Invalid',
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", "nil"',
  ],
  [
    `${configmaps}/a`,
    remove({ propagationPolicy: 'Orphan', orphanDependents: true }),
    422,
    'Invalid',
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  ],
  [
    `${configmaps}/a`,
    { method: 'DELETE', body: '{' },
    400,
    'BadRequest',
    "couldn't get version/kind; json parse error: unexpected end of JSON input",
  ],
  [`${configmaps}/a?gracePeriodSeconds=soon`, { method: 'DELETE' }, 400, 'BadRequest', 'strconv.ParseInt: parsing "soon": invalid syntax'],
]);
