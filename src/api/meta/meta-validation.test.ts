// Metadata and names: valid, invalid, and valid becoming invalid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectMeta } from '#api/generated/meta-v1.ts';
import type { FieldError } from './field-errors.ts';
import { isEqual, keepSystemMeta, validateObjectMeta, validateObjectMetaUpdate } from './meta-validation.ts';
import {
  dnsLabelName,
  dnsSubdomainName,
  isConfigMapKey,
  isDns1123Label,
  isQualifiedName,
  isValidLabelValue,
  isValidPortName,
  pathSegmentName,
} from './names.ts';

const rules = { namespaced: true, checkName: dnsSubdomainName };
const texts = (errors: FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`);
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test('a name must be there and be a subdomain', () => {
  assert.deepEqual(validateObjectMeta({ name: 'a.b-c', namespace: 'default' }, rules), []);
  assert.deepEqual(texts(validateObjectMeta({ namespace: 'default' }, rules)), [
    'metadata.name: Required value: name or generateName is required',
  ]);
  assert.deepEqual(texts(validateObjectMeta({ name: 'A_b', namespace: 'default' }, rules)), [
    `metadata.name: Invalid value: "A_b": ${subdomainText}`,
  ]);
  assert.deepEqual(texts(validateObjectMeta({ name: 'a'.repeat(254), namespace: 'd' }, rules)), [
    `metadata.name: Invalid value: "${'a'.repeat(254)}": must be no more than 253 bytes`,
  ]);
});

test('a generateName may end in a dash', () => {
  assert.deepEqual(validateObjectMeta({ name: 'web-x', generateName: 'web-', namespace: 'd' }, rules), []);
  assert.deepEqual(dnsLabelName('web-', true), []);
  assert.equal(dnsLabelName('web-', false).length, 1);
});

test('a namespace is asked for where the kind has one, and refused elsewhere', () => {
  assert.deepEqual(texts(validateObjectMeta({ name: 'a' }, rules)), ['metadata.namespace: Required value']);
  assert.deepEqual(texts(validateObjectMeta({ name: 'a', namespace: 'b' }, { ...rules, namespaced: false })), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ]);
});

test('labels, annotations, owners and finalizers are checked', () => {
  const meta: ObjectMeta = {
    name: 'a',
    namespace: 'd',
    labels: { 'a/b/c': 'x', ok: 'not ok' },
    annotations: { 'Example.com/Key': 'anything at all', big: 'x'.repeat(256 * 1024) },
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: '1', controller: true },
      { apiVersion: '', kind: 'X', name: '', uid: '2', controller: true },
    ],
    finalizers: ['kubernetes', 'short'],
  };
  const found = texts(validateObjectMeta(meta, rules));
  assert.equal(found.length, 7);
  assert.match(
    found[0]!,
    /^metadata\.labels: Invalid value: "a\/b\/c": a qualified name must consist of .* with an optional DNS subdomain prefix and '\/' \(e\.g\. 'example\.com\/MyName'\)$/,
  );
  assert.match(found[1]!, /^metadata\.labels: Invalid value: "not ok": a valid label must be an empty string or consist of/);
  assert.equal(found[2], 'metadata.annotations: Too long: may not be more than 262144 bytes');
  assert.equal(found[3], 'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty');
  assert.equal(found[4], 'metadata.ownerReferences.name: Invalid value: "": must not be empty');
  assert.match(found[5]!, /Only one reference can have Controller set to true\. Found "true" in references for r and $/);
  assert.equal(
    found[6],
    'metadata.finalizers[1]: Invalid value: "short": name is neither a standard finalizer name nor is it fully qualified',
  );
});

test('what identifies an object cannot change', () => {
  const old: ObjectMeta = {
    name: 'a',
    namespace: 'd',
    uid: '1',
    creationTimestamp: '2024-01-01T00:00:00Z',
    resourceVersion: '5',
    generation: 2,
  };
  assert.deepEqual(validateObjectMetaUpdate({ ...old }, old), []);
  assert.deepEqual(texts(validateObjectMetaUpdate({ ...old, uid: '2', resourceVersion: '' }, old)), [
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'metadata.uid: Invalid value: "2": field is immutable',
  ]);
});

test('an update may leave out what the server set, but neither begin nor take back a deletion, nor add finalizers to one', () => {
  const old: ObjectMeta = { name: 'a', uid: '1', creationTimestamp: 't', generation: 2, finalizers: ['a/b'] };
  const meta: ObjectMeta = { name: 'a', resourceVersion: '5', generation: 9 };
  keepSystemMeta(meta, old);
  assert.deepEqual(meta, { name: 'a', resourceVersion: '5', uid: '1', creationTimestamp: 't', generation: 2 });
  assert.deepEqual(texts(validateObjectMetaUpdate({ ...meta, deletionTimestamp: 'x' }, old)), [
    'metadata.deletionTimestamp: Invalid value: "x": field is immutable',
  ]);
  const dying = { ...old, deletionTimestamp: 'x', deletionGracePeriodSeconds: 0 };
  const update: ObjectMeta = { name: 'a', resourceVersion: '5', finalizers: ['a/b', 'c/d'] };
  keepSystemMeta(update, dying);
  assert.equal(update.deletionTimestamp, 'x');
  assert.deepEqual(texts(validateObjectMetaUpdate(update, dying)), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}',
  ]);
});

test('names of other shapes', () => {
  assert.deepEqual(isDns1123Label('a.b'), ['must not contain dots']);
  assert.match(
    isDns1123Label('A')[0]!,
    /\(e\.g\. 'my-name', {2}or '123-abc', regex used for validation is '\[a-z0-9\]\(\[-a-z0-9\]\*\[a-z0-9\]\)\?'\)$/,
  );
  assert.deepEqual(pathSegmentName('system:a b', false), []);
  assert.deepEqual(pathSegmentName('a/b%', false), ["may not contain '/'", "may not contain '%'"]);
  assert.deepEqual(pathSegmentName('..', false), ["may not be '..'"]);
  assert.deepEqual(isValidLabelValue(''), []);
  assert.deepEqual(isQualifiedName('/a'), ['prefix part must be non-empty']);
  assert.deepEqual(isValidPortName('a--b').concat(isValidPortName('123')), [
    'must not contain consecutive hyphens',
    'must contain at least one letter (a-z)',
  ]);
  assert.deepEqual(isConfigMapKey('..data'), ["must not start with '..'"]);
});

test('equality knows no order of keys, and takes absent for empty lists', () => {
  assert.equal(isEqual({ a: 1, b: [] }, { a: 1 }), true);
  assert.equal(isEqual({ a: [1, { b: 2, c: 3 }] }, { a: [1, { c: 3, b: 2 }] }), true);
  assert.equal(isEqual({ a: 1 }, { a: 1, b: 0 }), false);
  assert.equal(isEqual([], {}), false);
});
