// Label and field selectors: what they select, and what clients are told of wrong ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFieldLabels, parseFieldSelector } from './field-selector.ts';
import { parseLabelSelector, selectorOfLabelSelector, selectorOfMap, validateLabelSelector } from './label-selector.ts';
import { badRequestOf } from './refusal.fixture.ts';

test('a label query selects as upstream does', () => {
  const labels = { a: 'b', x: 'y', n: '5', e: '' };
  for (const query of [
    '',
    'a=b',
    'a==b',
    'a!=c',
    'zz!=c',
    'x in (y,z)',
    'x in (y),a=b',
    'x notin (z)',
    'zz notin (a)',
    'a',
    '!k',
    'n>4',
    'n<6',
    'e=',
    'e in ()',
    ' a = b , ! k ',
    'in=,a'.slice(4),
    'a=b,a!=c',
  ]) {
    assert.equal(parseLabelSelector(query).matches(labels), true, query);
  }
  for (const query of ['a=c', 'a!=b', 'x in (z)', 'x notin (y)', 'zz', '!a', 'n>5', 'n<5', 'a>1', 'zz=', 'a=b,zz', 'in', 'a in ()']) {
    assert.equal(parseLabelSelector(query).matches(labels), false, query);
  }
  assert.equal(parseLabelSelector('a').matches(undefined), false);
  assert.equal(parseLabelSelector('toString').matches({}), false);
});

test('a label query is written back in canonical form', () => {
  assert.equal(parseLabelSelector('x  in (z, y),!k,a==b, c').toString(), 'a=b,c,!k,x in (y,z)');
});

test('a wrong label query is refused in upstream’s words', () => {
  assert.equal(
    badRequestOf(() => parseLabelSelector('a=b c')),
    "found 'c', expected: ',' or 'end of string'",
  );
  assert.equal(
    badRequestOf(() => parseLabelSelector('a in b')),
    "unable to parse requirement: found 'b' expected: '('",
  );
  assert.equal(
    badRequestOf(() => parseLabelSelector('a,')),
    "found '', expected: identifier after ','",
  );
  assert.equal(
    badRequestOf(() => parseLabelSelector('=a')),
    "found '=', expected: !, identifier, or 'end of string'",
  );
  assert.equal(
    badRequestOf(() => parseLabelSelector('a b')),
    "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  );
  assert.match(
    badRequestOf(() => parseLabelSelector('a-=b')),
    /^unable to parse requirement: <nil>: Invalid value: "a-": name part must consist of alphanumeric characters/,
  );
  assert.match(
    badRequestOf(() => parseLabelSelector('a=b-')),
    /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "b-": a valid label must be/,
  );
});

test('a LabelSelector object: absent selects nothing, empty everything', () => {
  assert.equal(selectorOfLabelSelector(undefined).matches({}), false);
  assert.equal(selectorOfLabelSelector({}).matches({}), true);
  const selector = selectorOfLabelSelector({
    matchLabels: { a: 'b' },
    matchExpressions: [
      { key: 't', operator: 'NotIn', values: ['x'] },
      { key: 'z', operator: 'DoesNotExist' },
    ],
  });
  assert.equal(selector.matches({ a: 'b' }), true);
  assert.equal(selector.matches({ a: 'b', t: 'x' }), false);
  assert.equal(selector.matches({ a: 'b', z: '' }), false);
  assert.equal(selector.toString(), 'a=b,t notin (x),!z');
  assert.equal(selectorOfMap({ a: 'b' }).matches({ a: 'b', c: 'd' }), true);
});

test('a LabelSelector object is validated field by field', () => {
  const errors = validateLabelSelector(
    {
      matchLabels: { 'a b': 'c' },
      matchExpressions: [
        { key: 'k', operator: 'In' },
        { key: 'k', operator: 'Exists', values: ['v'] },
        { key: 'k', operator: 'in', values: [] },
      ],
    },
    'spec.selector',
  );
  assert.deepEqual(
    errors.map(({ field, reason }) => `${field} ${reason}`),
    [
      'spec.selector.matchLabels FieldValueInvalid',
      'spec.selector.matchExpressions[0].values FieldValueRequired',
      'spec.selector.matchExpressions[1].values FieldValueForbidden',
      'spec.selector.matchExpressions[2].operator FieldValueInvalid',
    ],
  );
});

test('field selectors select by value, and absent counts as empty', () => {
  const selector = parseFieldSelector('spec.nodeName=n1,status.phase!=Running');
  assert.equal(selector.matches({ 'spec.nodeName': 'n1', 'status.phase': 'Pending' }), true);
  assert.equal(selector.matches({ 'spec.nodeName': 'n1', 'status.phase': 'Running' }), false);
  assert.equal(selector.requiredValue('spec.nodeName'), 'n1');
  assert.equal(parseFieldSelector('spec.nodeName==').matches({}), true);
  assert.equal(parseFieldSelector('a=x\\,y\\=\\\\').requiredValue('a'), 'x,y=\\');
  assert.equal(parseFieldSelector('').empty, true);
});

test('wrong field selectors and unknown fields are refused', () => {
  assert.equal(
    badRequestOf(() => parseFieldSelector('a=b,foo')),
    "invalid selector: 'a=b,foo'; can't understand 'foo'",
  );
  assert.equal(
    badRequestOf(() => checkFieldLabels(parseFieldSelector('spec.x=1'), '', 'Pod')),
    'field label not supported: spec.x',
  );
  assert.equal(
    badRequestOf(() => checkFieldLabels(parseFieldSelector('spec.x=1'), 'apps', 'Deployment')),
    '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  );
  checkFieldLabels(parseFieldSelector('metadata.name=a,status.phase=Running'), '', 'Pod');
});
