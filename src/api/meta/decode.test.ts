// Decoding request bodies: shapes, messages, validation levels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, decodeValue } from './decode.ts';
import type { Expected } from './decode.ts';
import { badRequestOf } from './refusal.fixture.ts';

const pod: Expected = { apiVersion: 'v1', kind: 'Pod' };
const deployment: Expected = { apiVersion: 'apps/v1', kind: 'Deployment' };

const json = (value: unknown, expected: Expected = pod) =>
  decode(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 'application/json', expected);

test('a pod is read into the shape in which upstream would write it again', () => {
  const { object, warnings } = json({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'a', creationTimestamp: null, labels: {}, annotations: { b: null } },
    spec: {
      nodeName: '',
      hostNetwork: false,
      automountServiceAccountToken: false,
      activeDeadlineSeconds: null,
      nodeSelector: {},
      containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '0.5', memory: '1024Mi' } }, args: [], stdin: false }],
    },
  });
  assert.deepEqual(object, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'a', annotations: { b: '' } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '500m', memory: '1Gi' } } }],
    },
    status: {},
  });
  assert.deepEqual(warnings, []);
});

test('what is required, or a struct without a pointer, is there even when it was not given', () => {
  const { object } = json({ metadata: { name: 'd' }, spec: {} }, deployment);
  assert.deepEqual(object, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: { template: { metadata: {}, spec: { containers: [] } }, strategy: {} },
    status: {},
  });
});

test('fields of embedded messages stand beside the others', () => {
  const volumes = [{ name: 'v', configMap: { name: 'm', items: [{ key: 'k', path: 'p' }] } }];
  const { object, warnings } = json({ spec: { containers: [], volumes } });
  assert.deepEqual((object as unknown as { spec: { volumes: unknown } }).spec.volumes, volumes);
  assert.deepEqual(warnings, []);
});

test('unknown fields are dropped, and told under Warn, refused under Strict, passed over under Ignore', () => {
  const body = { spec: { foo: { bar: 1 }, containers: [{ name: 'c' }, { name: 'd', bar: 1 }] } };
  const warned = json(body);
  assert.deepEqual(warned.warnings, ['unknown field "spec.foo"', 'unknown field "spec.containers[1].bar"']);
  assert(!JSON.stringify(warned.object).includes('foo'));
  assert.deepEqual(json(body, { ...pod, fieldValidation: 'Ignore' }).warnings, []);
  assert.equal(
    badRequestOf(() => json(body, { ...pod, fieldValidation: 'Strict' })),
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo", unknown field "spec.containers[1].bar"',
  );
});

test('duplicate fields are told with their path; the last one counts', () => {
  const body = '{"metadata":{"name":"a","name":"b"},"spec":{"containers":[{"name":"c","env":[{"name":"x\\":","name":"y"}]}]}}';
  const { object, warnings } = json(body);
  assert.deepEqual(warnings, ['duplicate field "metadata.name"', 'duplicate field "spec.containers[0].env[0].name"']);
  assert.equal(object.metadata.name, 'b');
  const strict = badRequestOf(() => json('{"spec":{"replicas":1,"replicas":2}}', { ...deployment, fieldValidation: 'Strict' }));
  assert.equal(
    strict,
    'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: duplicate field "spec.replicas"',
  );
});

test('keys in free-form and unknown parts do not count as duplicates', () => {
  const revision: Expected = { apiVersion: 'apps/v1', kind: 'ControllerRevision', fieldValidation: 'Strict' };
  const { object } = json({ metadata: { name: 'r' }, data: { spec: { a: [{ b: 1.0 }, null] } }, revision: 1 }, revision);
  assert.deepEqual((object as unknown as { data: unknown }).data, { spec: { a: [{ b: 1 }, null] } });
  assert.deepEqual(json({ nope: { a: { b: [{ c: 1 }] } }, spec: { containers: [] } }).warnings, ['unknown field "nope"']);
});

test('wrong types are refused in the words of the decoder', () => {
  const of = (spec: unknown, expected = pod) =>
    badRequestOf(() => json({ spec }, expected)).replace(/^.* cannot be handled as a \w+: /, '');
  assert.equal(
    badRequestOf(() => json({ spec: { replicas: 'three' } }, deployment)),
    'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  );
  assert.equal(of({ containers: {} }), 'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container');
  assert.equal(
    of({ containers: [{ env: [{ name: 'a', value: 1 }] }] }),
    'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
  );
  assert.equal(
    of({ nodeSelector: { a: true } }),
    'json: cannot unmarshal bool into Go struct field PodSpec.spec.nodeSelector of type string',
  );
  assert.equal(
    of({ priority: 3000000000 }),
    'json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32',
  );
  assert.equal(of({ priority: 1.5 }), 'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32');
  assert.match(
    badRequestOf(() => json('{"spec":{"priority":1.0}}')),
    /cannot unmarshal number 1\.0 into Go struct field PodSpec\.spec\.priority of type int32$/,
  );
  assert.equal(
    of({ containers: [{ resources: { limits: { cpu: 'lots' } } }] }),
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  );
  assert.match(of({ containers: [{ resources: { limits: { cpu: '1x' } } }] }), /^quantities must match/);
  assert.equal(of({ containers: [{ resources: { limits: { cpu: '1mm' } } }] }), "unable to parse quantity's suffix");
  assert.match(
    badRequestOf(() => json({ metadata: { creationTimestamp: 'soon' } })),
    /parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"$/,
  );
  assert.match(
    badRequestOf(() => json({ data: { a: '!' } }, { apiVersion: 'v1', kind: 'Secret' })),
    /illegal base64 data at input byte 0$/,
  );
});

test('malformed JSON is refused with what Go would say and the beginning of the body', () => {
  const of = (body: string) => badRequestOf(() => json(body));
  const prefix = "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: ";
  assert.equal(of('{"a":'), `${prefix}unexpected end of JSON input ({"a":)`);
  assert.equal(of(''), `${prefix}unexpected end of JSON input (<empty>)`);
  assert.equal(of('{"a" 1}'), `${prefix}invalid character '1' after object key ({"a" 1})`);
  assert.equal(of('{"a":1 "b":2}'), `${prefix}invalid character '"' after object key:value pair ({"a":1 "b":2})`);
  assert.equal(of('{a:1}'), `${prefix}invalid character 'a' looking for beginning of object key string ({a:1})`);
  assert.equal(of('nope'), `${prefix}invalid character 'o' in literal null (expecting 'u') (6e6f7065)`);
  assert.match(of('[]'), /json: cannot unmarshal array into Go value of type struct/);
});

test('a body that is nested without end is refused, not followed', () => {
  assert.match(
    badRequestOf(() => json('['.repeat(1_000_000))),
    /json parse error: exceeded max depth/,
  );
  assert.match(
    badRequestOf(() => json(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)),
    /json parse error: exceeded max depth/,
  );
  assert.match(
    badRequestOf(() => decode(Buffer.from('['.repeat(20_000)), 'application/yaml', pod)),
    /must be of type Pod/,
  );
});

test('another kind or version than the path says is refused', () => {
  assert.equal(
    badRequestOf(() => json({ apiVersion: 'v2', kind: 'Foo' })),
    'Foo in version "v2" cannot be handled as a Pod: no kind "Foo" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  );
  assert.equal(
    badRequestOf(() => json({ apiVersion: 'apps/v1', kind: 'Deployment' })),
    'Deployment in version "v1" cannot be handled as a Pod: converting (v1.Deployment) to (core.Pod): unknown conversion',
  );
  assert.equal(
    badRequestOf(() => json({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, { apiVersion: 'v1', kind: 'Event' })),
    'the API version in the data (events.k8s.io/v1) does not match the expected API version (v1)',
  );
  assert.equal(
    json({ apiVersion: 'meta.k8s.io/v1', kind: 'DeleteOptions', propagationPolicy: 'Orphan' }, { apiVersion: 'v1', kind: 'DeleteOptions' })
      .object.kind,
    'DeleteOptions',
  );
});

test('YAML is read as the same object, with its own notes on duplicates', () => {
  const yaml = (text: string, expected: Expected = pod) => decode(Buffer.from(text), 'application/yaml', expected);
  const { object, warnings } = yaml(
    'metadata:\n  name: a\n  annotations: {t: 2001-01-01, u: "1"}\nspec:\n  hostNetwork: yes\n  hostNetwork: on\n  containers:\n  - name: c\n',
  );
  assert.deepEqual(warnings, ['line 6: key "hostNetwork" already set in map']);
  assert.deepEqual(object.metadata, { name: 'a', annotations: { t: '2001-01-01', u: '1' } });
  assert.match(
    badRequestOf(() => yaml('a: b: c')),
    /must be of type Pod.*error converting YAML to JSON: yaml: mapping values are not allowed in this context/,
  );
  assert.match(
    badRequestOf(() => yaml('metadata: {name: 7}')),
    /cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string$/,
  );
});

test('the keys of a hostile body do not reach any prototype', () => {
  const { object } = json('{"metadata":{"name":"a","labels":{"__proto__":"x"}},"__proto__":{"y":1},"spec":{"containers":[]}}');
  assert.deepEqual(Object.keys(object.metadata.labels!), ['__proto__']);
  assert.equal(({} as Record<string, unknown>)['y'], undefined);
});

test('a value that is parsed already is checked without being changed', () => {
  const value = Object.freeze({ metadata: Object.freeze({ name: 'a' }), spec: Object.freeze({ containers: Object.freeze([]) }) });
  const { object } = decodeValue(value, pod);
  object.metadata.name = 'b';
  assert.equal(value.metadata.name, 'a');
});

test('a kind that is not built in keeps its own fields as they are, but not a wrong metadata', () => {
  const widget: Expected = { apiVersion: 'example.com/v1', kind: 'Widget' };
  assert.deepEqual(json({ metadata: { name: 'w', foo: 1 }, spec: { any: [null, { x: '' }] } }, widget), {
    object: { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { any: [null, { x: '' }] } },
    warnings: ['unknown field "metadata.foo"'],
  });
  assert.match(
    badRequestOf(() => json({ metadata: { labels: [] } }, widget)),
    /cannot unmarshal array into Go struct field ObjectMeta.labels of type map/,
  );
});
