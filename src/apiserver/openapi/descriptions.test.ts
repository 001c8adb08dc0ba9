// Descriptions are found for the types that kubectl explains.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceRules } from '../resources/all.ts';
import { messageForKind } from '#api/schema.ts';
import { apiVersionOf } from '#api/meta/object.ts';
import { clientDescriptions } from './descriptions.ts';

const describe = clientDescriptions();

test('a type and its fields are described in upstream’s words, without the generator’s escapes', () => {
  const pod = describe('core/v1.PodSpec');
  assert.equal(pod.description, 'PodSpec is a description of a pod.');
  assert.match(pod.fields.get('dnsPolicy')!, /^Set DNS policy for the pod\. Defaults to "ClusterFirst"\./);
});

test('names that several groups share are told apart', () => {
  assert.match(
    describe('rbac/v1.Subject').description!,
    /^Subject contains a reference to the object or user identities a role binding applies to/,
  );
  assert.match(describe('events/v1.Event').description!, /regarding|report of an event/);
  assert.notEqual(describe('core/v1.EndpointPort').description, describe('discovery/v1.EndpointPort').description);
});

test('every kind that is served is described', () => {
  const silent = resourceRules
    .map(({ resource }) => messageForKind(apiVersionOf(resource), resource.kind)!.name)
    .filter((message) => describe(message).description === undefined);
  assert.deepEqual(silent, []);
});

test('a type that the client does not have is left without', () => {
  assert.deepEqual(describe('nowhere/v1.Nothing'), { fields: new Map() });
});
