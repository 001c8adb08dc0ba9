// What names, labels and annotation keys may look like, in upstream's words. Each check answers its complaints: none means good.

const maxNameLength = 253;
const maxLabelLength = 63;

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const dnsLabelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const qualifiedText = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const labelValueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** Checks a name, or with `prefix` a generateName: the end may then be what a suffix will complete. */
export type NameCheck = (name: string, prefix: boolean) => string[];

export const dnsLabelName: NameCheck = (name, prefix) => isDns1123Label(prefix ? maskTrailingDash(name) : name);
export const dnsSubdomainName: NameCheck = (name, prefix) => isDns1123Subdomain(prefix ? maskTrailingDash(name) : name);
/** Names that stand as one segment of a path: RBAC objects have nearly free names. */
export const pathSegmentName: NameCheck = (name, prefix) => (prefix ? isValidPathSegmentPrefix(name) : isValidPathSegmentName(name));

export function isDns1123Label(text: string): string[] {
  const found = tooLong(text, maxLabelLength);
  if (!dnsLabel.test(text)) {
    // Whoever has a dot in a label meant a subdomain or knows no difference: upstream says it so, too.
    found.push(
      subdomain.test(text) ? 'must not contain dots' : regexError(dnsLabelText, '[a-z0-9]([-a-z0-9]*[a-z0-9])?', 'my-name', '123-abc'),
    );
  }
  return found;
}

export function isDns1123Subdomain(text: string): string[] {
  const found = tooLong(text, maxNameLength);
  if (!subdomain.test(text)) {
    found.push(regexError(subdomainText, '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*', 'example.com'));
  }
  return found;
}

/** `prefix/name` or `name`: label keys, annotation keys, resource names, finalizers, conditions. */
export function isQualifiedName(text: string): string[] {
  const found: string[] = [];
  const parts = text.split('/');
  let name = text;
  if (parts.length === 2) {
    name = parts[1]!;
    if (parts[0] === '') found.push('prefix part must be non-empty');
    else found.push(...isDns1123Subdomain(parts[0]!).map((message) => `prefix part ${message}`));
  } else if (parts.length > 2) {
    const shape = regexError(qualifiedText, '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]', 'MyName', 'my.name', '123-abc');
    return [`a qualified name ${shape} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (name === '') found.push('name part must be non-empty');
  else if (name.length > maxLabelLength) found.push(`name part ${maxLengthText(maxLabelLength)}`);
  if (!qualified.test(name)) {
    found.push(`name part ${regexError(qualifiedText, '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]', 'MyName', 'my.name', '123-abc')}`);
  }
  return found;
}

export function isValidLabelValue(text: string): string[] {
  const found = tooLong(text, maxLabelLength);
  if (!labelValue.test(text)) {
    found.push(regexError(labelValueText, '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?', 'MyValue', 'my_value', '12345'));
  }
  return found;
}

function isValidPathSegmentName(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return isValidPathSegmentPrefix(name);
}

function isValidPathSegmentPrefix(name: string): string[] {
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`);
}

/** A number that a port may be. */
export function isValidPortNum(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

/** The name of a port in a service or container: an IANA service name. */
export function isValidPortName(port: string): string[] {
  const found: string[] = [];
  if (port.length > 15) found.push(maxLengthText(15));
  if (!/^[-a-z0-9]+$/.test(port)) found.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(port)) found.push('must contain at least one letter (a-z)');
  if (port.includes('--')) found.push('must not contain consecutive hyphens');
  if (port !== '' && (port.startsWith('-') || port.endsWith('-'))) found.push('must not begin or end with a hyphen');
  return found;
}

export function isEnvVarName(name: string): string[] {
  if (name === '') return ['environment variable name must be non-empty'];
  return /^[ -<>-~]+$/.test(name)
    ? []
    : [`a valid environment variable name must consist only of printable ASCII characters other than '='`];
}

/** A key of a ConfigMap or Secret. */
export function isConfigMapKey(key: string): string[] {
  const found = tooLong(key, maxNameLength);
  if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
    found.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        '[-._a-zA-Z0-9]+',
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  if (key === '.' || key === '..') found.push(`must not be '${key}'`);
  else if (key.startsWith('..')) found.push(`must not start with '..'`);
  return found;
}

function maxLengthText(length: number): string {
  return `must be no more than ${length} ${length === 1 ? 'byte' : 'bytes'}`;
}

function tooLong(text: string, max: number): string[] {
  return Buffer.byteLength(text) > max ? [maxLengthText(max)] : [];
}

/** `message (e.g. 'a',  or 'b', regex used for validation is '…')`: the odd spacing is upstream's. */
function regexError(message: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}'`).join(',  or ');
  return `${message} (e.g. ${shown}, regex used for validation is '${pattern}')`;
}

function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
