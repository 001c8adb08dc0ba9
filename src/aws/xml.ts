// XML as the query protocol writes it: elements only, lists as repeated <member>.

export type XmlValue = string | number | boolean | undefined | readonly XmlValue[] | { readonly [name: string]: XmlValue };

/** An empty namespace is left out. */
export function xmlDocument(name: string, namespace: string, content: { [name: string]: XmlValue }): string {
  const attribute = namespace === '' ? '' : ` xmlns="${escape(namespace)}"`;
  return `<${name}${attribute}>${children(content)}</${name}>\n`;
}

function children(value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((item) => element('member', item)).join('');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, child]) => element(name, child))
      .join('');
  return escape(String(value));
}

function element(name: string, value: XmlValue): string {
  return value === undefined ? '' : `<${name}>${children(value)}</${name}>`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
