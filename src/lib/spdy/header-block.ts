// SPDY/3's header blocks: length-prefixed names and values behind one zlib stream per direction, primed with a fixed dictionary.
import { createInflate } from 'node:zlib';

/** The dictionary of the SPDY/3 draft, section 2.6.10.1: words with their lengths, then text. */
const words =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization ' +
  'cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range ' +
  'content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
  'location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding ' +
  'upgrade user-agent vary via warning www-authenticate method get status';
const moreWords = ['200 OK', 'version', 'HTTP/1.1', 'url', 'public', 'set-cookie', 'keep-alive', 'origin'];
const tail =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information' +
  '204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error' +
  '501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, ' +
  'Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public' +
  'privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

export const dictionary: Buffer = Buffer.concat([...[...words.split(' '), ...moreWords].map(lengthPrefixed), Buffer.from(tail)]);

export type Headers = Record<string, string>;

/** More than this decompressed is refused: a small frame can unfold to anything. */
const maxBlockBytes = 64 << 10;

/** Answers a function that encodes one header block after the other. Blocks are stored, not compressed: they are few and small. */
export function headerEncoder(): (headers: Headers) => Buffer {
  let first = true;
  return (headers) => {
    const pairs = Object.entries(headers).flatMap(([name, value]) => [lengthPrefixed(name.toLowerCase()), lengthPrefixed(value)]);
    const data = Buffer.concat([uint32(pairs.length / 2), ...pairs]);
    if (data.length > 0xffff) throw new Error('SPDY header block too long');
    const lengths = Buffer.alloc(5);
    lengths.writeUInt16LE(data.length, 1);
    lengths.writeUInt16LE(~data.length & 0xffff, 3);
    // An empty stored block behind it makes Go's reader hand out what it has.
    const block = Buffer.concat([lengths, data, Buffer.from([0, 0, 0, 0xff, 0xff])]);
    const start = first ? Buffer.concat([Buffer.from([0x78, 0x20]), uint32(adler32(dictionary))]) : Buffer.alloc(0);
    first = false;
    return Buffer.concat([start, block]);
  };
}

/** Answers a function that decodes one header block after the other; calls must not overlap. */
export function headerDecoder(): { decode(block: Buffer): Promise<Headers>; close(): void } {
  const inflate = createInflate({ dictionary });
  let collected: Buffer[] = [];
  let bytes = 0;
  let fail: (error: Error) => void = () => undefined;
  inflate.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBlockBytes) inflate.destroy(new Error('SPDY header block too long'));
    else collected.push(chunk);
  });
  inflate.on('error', (error) => fail(error));
  return {
    decode: (block) =>
      new Promise((resolve, reject) => {
        fail = reject;
        inflate.write(block, () => {
          try {
            resolve(parse(Buffer.concat(collected)));
          } catch (error) {
            reject(error as Error);
          }
          collected = [];
          bytes = 0;
        });
      }),
    close: () => inflate.destroy(),
  };
}

function parse(block: Buffer): Headers {
  const headers: Headers = {};
  let position = 0;
  const readText = () => {
    const length = block.readUInt32BE(position);
    if (position + 4 + length > block.length) throw new Error('broken SPDY header block');
    const text = block.toString('utf8', position + 4, position + 4 + length);
    position += 4 + length;
    return text;
  };
  const count = block.readUInt32BE(0);
  position = 4;
  for (let i = 0; i < count; i++) headers[readText().toLowerCase()] = readText().replaceAll('\0', ', ');
  return headers;
}

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function adler32(data: Buffer): number {
  let a = 1;
  let b = 0;
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}
