// Tar archives: a writer of ustar for what we make ourselves, and a reader of ustar, pax and GNU long names over a file handle,
// so that a large archive is never held in memory.
import type { FileHandle } from 'node:fs/promises';

const block = 512;

export interface TarFile {
  path: string;
  data?: Buffer | string;
  /** Permission bits; 0o644 for files and 0o755 for directories when unset. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Set: a symbolic link. */
  linkTarget?: string;
  directory?: boolean;
}

/** An archive with fixed times and owners: the same files give the same bytes. */
export function writeTar(files: TarFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const file of files) {
    const data = Buffer.isBuffer(file.data) ? file.data : Buffer.from(file.data ?? '');
    parts.push(header(file, data.length), data, Buffer.alloc(padding(data.length)));
  }
  parts.push(Buffer.alloc(2 * block));
  return Buffer.concat(parts);
}

function header(file: TarFile, size: number): Buffer {
  const { name, prefix } = splitPath(file.directory ? `${file.path.replace(/\/$/, '')}/` : file.path);
  const bytes = Buffer.alloc(block);
  const type = file.directory ? '5' : file.linkTarget !== undefined ? '2' : '0';
  bytes.write(name, 0);
  bytes.write(octal(file.mode ?? (file.directory ? 0o755 : 0o644), 7), 100);
  bytes.write(octal(file.uid ?? 0, 7), 108);
  bytes.write(octal(file.gid ?? 0, 7), 116);
  bytes.write(octal(size, 11), 124);
  bytes.write(octal(0, 11), 136);
  bytes.write(type, 156);
  bytes.write(file.linkTarget ?? '', 157, 100);
  bytes.write('ustar\u000000', 257);
  bytes.write(prefix, 345);
  bytes.write(`${octal(checksum(bytes), 6)}\0 `, 148);
  return bytes;
}

function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  const cut = path.lastIndexOf('/', 155);
  const name = path.slice(cut + 1);
  if (cut <= 0 || Buffer.byteLength(name) > 100 || name === '') throw new Error(`path too long for a tar archive: ${path}`);
  return { name, prefix: path.slice(0, cut) };
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
const padding = (size: number): number => (block - (size % block)) % block;

function checksum(bytes: Buffer): number {
  let sum = 0;
  // The checksum's own eight bytes count as spaces.
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : bytes[i]!;
  return sum;
}

export interface TarEntry {
  /** Without a leading `./`. */
  path: string;
  type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  linkTarget: string;
  /** Where the file's bytes begin in the archive. */
  offset: number;
  size: number;
}

/** The archive's entries in order. Throws what is wrong with it, in words for whoever gave us the file. */
export async function readTarEntries(file: FileHandle, maxEntries = 100_000): Promise<TarEntry[]> {
  const { size: archiveSize } = await file.stat();
  const entries: TarEntry[] = [];
  let override: { path?: string; linkTarget?: string; size?: number } = {};
  let offset = 0;
  while (offset + block <= archiveSize) {
    const bytes = await readAt(file, offset, block);
    if (bytes.every((byte) => byte === 0)) return entries;
    if (checksum(bytes) !== number(bytes, 148, 8)) throw new Error('not a tar archive');
    const type = String.fromCharCode(bytes[156]!);
    const size = (type === 'x' || type === 'g' ? undefined : override.size) ?? number(bytes, 124, 12);
    const dataOffset = offset + block;
    if (dataOffset + size > archiveSize) throw new Error('the tar archive is cut off');
    offset = dataOffset + size + padding(size);
    if (type === 'g') continue;
    if (type === 'x' || type === 'L' || type === 'K') {
      if (size > 1 << 20) throw new Error('the tar archive holds a name of more than 1 MiB');
      const data = await readAt(file, dataOffset, size);
      override = { ...override, ...(type === 'x' ? readPax(data) : { [type === 'L' ? 'path' : 'linkTarget']: text(data, 0, size) }) };
      continue;
    }
    if (entries.length >= maxEntries) throw new Error(`the tar archive holds more than ${maxEntries} files`);
    const prefix = text(bytes, 257, 5) === 'ustar' && bytes[262] === 0 ? text(bytes, 345, 155) : '';
    const path = override.path ?? (prefix ? `${prefix}/` : '') + text(bytes, 0, 100);
    const linkTarget = override.linkTarget ?? text(bytes, 157, 100);
    entries.push({ path: path.replace(/^(\.\/)+/, ''), type: typeOf(type), linkTarget, offset: dataOffset, size });
    override = {};
  }
  if (entries.length === 0) throw new Error('not a tar archive');
  if (offset < archiveSize) throw new Error('the tar archive is cut off');
  // Some writers leave the two closing blocks out; what is there is whole.
  return entries;
}

export async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw new Error('the file ended early');
    filled += bytesRead;
  }
  return bytes;
}

function typeOf(flag: string): TarEntry['type'] {
  const types: Record<string, TarEntry['type']> = {
    '0': 'file',
    '\0': 'file',
    '7': 'file',
    '5': 'directory',
    '2': 'symlink',
    '1': 'hardlink',
  };
  return types[flag] ?? 'other';
}

function text(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function number(bytes: Buffer, start: number, length: number): number {
  // GNU writes sizes of 8 GiB and more as big-endian binary with the top bit set.
  if (bytes[start]! & 0x80) return Number(bytes.readBigUInt64BE(start + length - 8) & 0x7fffffffffffffffn);
  const value = Number.parseInt(text(bytes, start, length).trim() || '0', 8);
  if (!Number.isSafeInteger(value)) throw new Error('not a tar archive');
  return value;
}

function readPax(data: Buffer): { path?: string; linkTarget?: string; size?: number } {
  const found: { path?: string; linkTarget?: string; size?: number } = {};
  let position = 0;
  while (position < data.length) {
    const space = data.indexOf(32, position);
    const length = Number.parseInt(data.toString('utf8', position, space), 10);
    if (space < 0 || !(length > 0)) throw new Error('the tar archive has a broken extended header');
    const record = data.toString('utf8', space + 1, position + length - 1);
    const equals = record.indexOf('=');
    const [name, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (name === 'path') found.path = value;
    if (name === 'linkpath') found.linkTarget = value;
    if (name === 'size') found.size = Number(value);
    position += length;
  }
  return found;
}
