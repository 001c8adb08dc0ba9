// Field selectors of a query: `spec.nodeName=n1,status.phase!=Running`. Which labels a kind knows comes from the generated table.
import { fieldLabels } from '../field-labels.ts';
import { badRequest } from './errors.ts';

interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
  readonly empty: boolean;
  /** Absent fields count as ''. */
  matches(fields: Readonly<Record<string, string>>): boolean;
  /** The value that a field must have to match, if the selector says so: for indexes. */
  requiredValue(field: string): string | undefined;
}

const everything: FieldSelector = { requirements: [], empty: true, matches: () => true, requiredValue: () => undefined };

/** Throws a 400 in upstream's words. */
export function parseFieldSelector(text: string): FieldSelector {
  if (text === '') return everything;
  const requirements = splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => parseTerm(term, text));
  return {
    requirements,
    empty: requirements.length === 0,
    matches: (fields) => requirements.every(({ field, operator, value }) => ((fields[field] ?? '') === value) === (operator === '=')),
    requiredValue: (wanted) => requirements.find(({ field, operator }) => operator === '=' && field === wanted)?.value,
  };
}

/** Throws a 400 if the selector names a field that the kind cannot be selected by. */
export function checkFieldLabels(selector: FieldSelector, group: string, kind: string): void {
  const known = fieldLabels(group, kind);
  for (const { field } of selector.requirements) {
    if (known.includes(field)) continue;
    throw badRequest(
      known.length === 2 && known[1] === 'metadata.namespace'
        ? `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
        : kind === 'Job'
          ? `field label "${field}" not supported for Job`
          : `field label not supported: ${field}`,
    );
  }
}

/** At commas that no backslash protects. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(term: string, text: string): FieldRequirement {
  for (let at = 0; at < term.length; at++) {
    const operator = ['!=', '==', '='].find((candidate) => term.startsWith(candidate, at));
    if (operator === undefined) continue;
    const value = unescape(term.slice(at + operator.length));
    return { field: term.slice(0, at), operator: operator === '!=' ? '!=' : '=', value };
  }
  throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
}

function unescape(value: string): string {
  return value.replace(/\\(.?)/gs, (_, escaped: string) => {
    if (escaped !== '\\' && escaped !== ',' && escaped !== '=')
      throw badRequest(`invalid field selector: invalid escape sequence in value: \\${escaped}`);
    return escaped;
  });
}
