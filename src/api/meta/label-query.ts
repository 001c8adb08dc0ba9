// Reads the query form of a label selector. Its complaints are upstream's, word for word, as clients show them.
import type { ApiError } from './errors.ts';
import { badRequest } from './errors.ts';
import { isQualifiedName, isValidLabelValue } from './names.ts';

export type LabelOperator = 'in' | 'notin' | '=' | '!=' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

interface Token {
  kind: 'identifier' | 'symbol' | 'end';
  text: string;
}

const symbols = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'];
const end: Token = { kind: 'end', text: '' };

export function parseLabelQuery(text: string): LabelRequirement[] {
  const tokens = tokensOf(text);
  const requirements: LabelRequirement[] = [];
  let at = 0;
  const peek = (): Token => tokens[at] ?? end;
  const next = (): Token => tokens[at++] ?? end;
  const startsRequirement = (token: Token) => token.kind === 'identifier' || token.text === '!';

  while (peek().kind !== 'end') {
    if (!startsRequirement(peek())) throw badRequest(`found '${peek().text}', expected: !, identifier, or 'end of string'`);
    requirements.push(parseRequirement(peek, next));
    const separator = next();
    if (separator.kind === 'end') break;
    if (separator.text !== ',') throw badRequest(`found '${separator.text}', expected: ',' or 'end of string'`);
    if (!startsRequirement(peek())) throw badRequest(`found '${peek().text}', expected: identifier after ','`);
  }
  return requirements;
}

function parseRequirement(peek: () => Token, next: () => Token): LabelRequirement {
  const negated = peek().text === '!';
  if (negated) next();
  const key = next();
  if (key.kind !== 'identifier') throw unreadable(`found '${key.text}', expected: identifier`);
  checkKey(key.text);
  const isLast = peek().kind === 'end' || peek().text === ',';
  if (negated) return { key: key.text, operator: '!', values: [] };
  if (isLast) return { key: key.text, operator: 'exists', values: [] };
  const operator = parseOperator(next());
  const values = operator === 'in' || operator === 'notin' ? parseValues(peek, next) : [parseExactValue(peek, next)];
  checkValues(key.text, operator, values);
  return { key: key.text, operator, values };
}

function parseOperator(token: Token): LabelOperator {
  switch (token.text) {
    case '=':
    case '==':
      return '=';
    case '!=':
    case 'in':
    case 'notin':
      return token.text;
    case '>':
      return 'gt';
    case '<':
      return 'lt';
    default:
      throw unreadable(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

/** `(a,b)`; an empty place is the empty value. */
function parseValues(peek: () => Token, next: () => Token): string[] {
  const open = next();
  if (open.text !== '(') throw unreadable(`found '${open.text}' expected: '('`);
  const values: string[] = [];
  for (;;) {
    values.push(peek().kind === 'identifier' ? next().text : '');
    const token = next();
    if (token.text === ')') return [...new Set(values)];
    if (token.text !== ',') throw unreadable(`found '${token.text}', expected: ',', ')' or identifier`);
  }
}

function parseExactValue(peek: () => Token, next: () => Token): string {
  if (peek().kind === 'end' || peek().text === ',') return '';
  const token = next();
  if (token.kind !== 'identifier') throw unreadable(`found '${token.text}', expected: identifier`);
  return token.text;
}

function checkKey(key: string): void {
  const messages = isQualifiedName(key);
  // A selector in a query has no path: Go prints nil.
  if (messages.length > 0) throw unreadable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${messages.join('; ')}`);
}

function checkValues(key: string, operator: LabelOperator, values: string[]): void {
  if ((operator === 'gt' || operator === 'lt') && !/^[+-]?[0-9]+$/.test(values[0]!)) {
    throw unreadable(`values[0]: Invalid value: ${JSON.stringify(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`);
  }
  for (const [position, value] of values.entries()) {
    const messages = isValidLabelValue(value);
    if (messages.length > 0)
      throw unreadable(`values[${position}][${key}]: Invalid value: ${JSON.stringify(value)}: ${messages.join('; ')}`);
  }
}

function unreadable(message: string): ApiError {
  return badRequest(`unable to parse requirement: ${message}`);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
    if (/[ \t\r\n]/.test(text[at]!)) at++;
    else if (symbol !== undefined) {
      tokens.push({ kind: 'symbol', text: symbol });
      at += symbol.length;
    } else {
      const word = /^[^=!(),<> \t\r\n]+/.exec(text.slice(at))![0];
      tokens.push({ kind: 'identifier', text: word });
      at += word.length;
    }
  }
  return tokens;
}
