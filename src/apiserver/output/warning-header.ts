// Warnings as one header that every client can read: no control characters, UTF-8 as it is, and never longer than readers allow.

const maxTotal = 4 * 1024;
const maxEach = 256;

/** Each warning once; where they are too much they are cut short, and the last ones are left out, as upstream does. */
export function warningHeader(warnings: readonly string[]): string {
  const texts = [...new Set(warnings)].map(printable);
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  const shown: string[] = [];
  let length = 0;
  for (const text of texts) {
    const short = total > maxTotal ? Array.from(text).slice(0, maxEach).join('') : text;
    length += short.length;
    if (length > maxTotal) break;
    shown.push(`299 - "${short.replace(/[\\"]/g, '\\$&')}"`);
  }
  // Headers are written byte by byte: each character here is one byte of the UTF-8.
  return Buffer.from(shown.join(', ')).toString('latin1');
}

function printable(text: string): string {
  return text.toWellFormed().replace(/\p{Cc}+/gu, ' ');
}
