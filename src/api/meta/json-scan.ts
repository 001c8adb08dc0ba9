// What JSON.parse does not tell: duplicate keys, whether a number was written with a fraction, and syntax errors in the words of Go's parser.

export interface JsonFacts {
  /** Key-value pairs in all objects together. More than the parsed value has: some key occurs twice. */
  pairs: number;
  /** Some number is written with a point or an exponent. */
  fractions: boolean;
  /** How deep objects and lists are nested. */
  depth: number;
}

/** Upstream stops at 10,000; no object comes near, and every later step may recurse. */
export const maxDepth = 1000;
export const tooDeep = 'exceeded max depth';

/** One quick look over text that is known to be valid JSON. */
export function scanJson(text: string): JsonFacts {
  let pairs = 0;
  let fractions = false;
  let open = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x3a) pairs++;
    else if (code === 0x7b || code === 0x5b) depth = Math.max(depth, ++open);
    else if (code === 0x7d || code === 0x5d) open--;
    else if ((code === 0x2e || code === 0x65 || code === 0x45) && isDigit(text.charCodeAt(at - 1))) fractions = true;
  }
  return { pairs, fractions, depth };
}

/** A number whose text is not a plain integer: `1.0` and `1e3` are no integers to an API server. */
export class NumberLiteral {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

/** As JSON.parse, but whole numbers written as fractions come as NumberLiteral. */
export function parseKeepingFractions(text: string): unknown {
  return JSON.parse(text, function revive(_key: string, value: unknown, context?: { source?: string }) {
    const source = context?.source;
    return typeof value === 'number' && Number.isInteger(value) && source !== undefined && /[.eE]/.test(source)
      ? new NumberLiteral(source)
      : value;
  });
}

/** The paths of keys that occur again in their object (`spec.paused`, `spec.ports[0].name`), in order. */
export function duplicateKeys(text: string): string[] {
  const found: string[] = [];
  const scanner = new Scanner(text, (path) => found.push(path));
  scanner.document();
  return found;
}

/** Go's message for text that JSON.parse refuses. */
export function jsonSyntaxError(text: string): string {
  try {
    new Scanner(text, () => {}).document();
  } catch (error) {
    if (error instanceof GoSyntaxError) return error.message;
    throw error;
  }
  return 'invalid JSON';
}

class GoSyntaxError extends Error {}

/** Walks the text as Go's scanner does; stops at the first character that cannot stand where it stands. */
class Scanner {
  readonly #text: string;
  readonly #onDuplicate: (path: string) => void;
  #at = 0;
  #depth = 0;

  constructor(text: string, onDuplicate: (path: string) => void) {
    this.#text = text;
    this.#onDuplicate = onDuplicate;
  }

  document(): void {
    this.#value('');
    this.#space();
    if (this.#at < this.#text.length) this.#fail('after top-level value');
  }

  #value(path: string): void {
    this.#space();
    const character = this.#text[this.#at];
    if (character === '{' || character === '[') {
      if (++this.#depth > maxDepth) throw new GoSyntaxError(tooDeep);
      if (character === '{') this.#object(path);
      else this.#array(path);
      this.#depth--;
    } else if (character === '"') this.#string();
    else if (character === 't') this.#literal('true');
    else if (character === 'f') this.#literal('false');
    else if (character === 'n') this.#literal('null');
    else if (character === '-' || isDigit(this.#text.charCodeAt(this.#at))) this.#number();
    else this.#fail('looking for beginning of value');
  }

  #object(path: string): void {
    const seen = new Set<string>();
    this.#at++;
    this.#space();
    if (this.#accept('}')) return;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail(`looking for beginning of object key string`);
      const key = this.#string();
      const inner = path === '' ? key : `${path}.${key}`;
      if (seen.has(key)) this.#onDuplicate(inner);
      seen.add(key);
      this.#space();
      if (!this.#accept(':')) this.#fail('after object key');
      this.#value(inner);
      this.#space();
      if (this.#accept('}')) return;
      if (!this.#accept(',')) this.#fail('after object key:value pair');
    }
  }

  #array(path: string): void {
    this.#at++;
    this.#space();
    if (this.#accept(']')) return;
    for (let position = 0; ; position++) {
      this.#value(`${path}[${position}]`);
      this.#space();
      if (this.#accept(']')) return;
      if (!this.#accept(',')) this.#fail('after array element');
    }
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (Number.isNaN(code) || code < 0x20) this.#fail('in string literal');
      if (code === 0x5c) this.#escape();
      else this.#at++;
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #escape(): void {
    const escaped = this.#text[++this.#at];
    if (escaped === 'u') {
      for (let i = 0; i < 4; i++) if (!/[0-9a-fA-F]/.test(this.#text[++this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape');
    } else if (escaped === undefined || !'"\\/bfnrt'.includes(escaped)) this.#fail('in string escape code');
    this.#at++;
  }

  #literal(word: string): void {
    for (let i = 1; i < word.length; i++) {
      this.#at++;
      if (this.#text[this.#at] !== word[i]) this.#fail(`in literal ${word} (expecting '${word[i]}')`);
    }
    this.#at++;
  }

  #number(): void {
    if (this.#accept('-') && !isDigit(this.#text.charCodeAt(this.#at))) this.#fail('in numeric literal');
    if (!this.#accept('0')) this.#digits();
    if (this.#accept('.')) {
      if (!isDigit(this.#text.charCodeAt(this.#at))) this.#fail('after decimal point in numeric literal');
      this.#digits();
    }
    if (this.#accept('e') || this.#accept('E')) {
      if (!this.#accept('+')) this.#accept('-');
      if (!isDigit(this.#text.charCodeAt(this.#at))) this.#fail('in exponent of numeric literal');
      this.#digits();
    }
  }

  #digits(): void {
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #accept(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fail(where: string): never {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw new GoSyntaxError('unexpected end of JSON input');
    throw new GoSyntaxError(`invalid character ${quoteCharacter(code)} ${where}`);
  }
}

function quoteCharacter(code: number): string {
  const character = String.fromCodePoint(code);
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
}

/** The closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let close = text.indexOf('"', start + 1);
  while (text.charCodeAt(close - 1) === 0x5c && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
