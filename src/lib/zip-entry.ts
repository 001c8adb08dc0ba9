// One file out of a zip archive, read without unpacking the rest (APPNOTE 4.3.12).
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

/** The end record is at most this far from the archive's end: 22 bytes and a comment. */
const endRecordReach = 65_557;

export async function readZipEntry(archive: string, entry: string): Promise<Buffer> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const read = async (position: number, length: number) => (await file.read(Buffer.alloc(length), 0, length, position)).buffer;
    const tail = await read(Math.max(0, size - endRecordReach), Math.min(size, endRecordReach));
    const end = tail.lastIndexOf(Buffer.from('PK\x05\x06'));
    if (end < 0) throw new Error(`${archive} is no zip archive`);
    const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    for (let at = 0; at < directory.length; ) {
      const nameLength = directory.readUInt16LE(at + 28);
      if (directory.toString('utf8', at + 46, at + 46 + nameLength) !== entry) {
        at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
        continue;
      }
      const [start, length, method] = [directory.readUInt32LE(at + 42), directory.readUInt32LE(at + 20), directory.readUInt16LE(at + 10)];
      const header = await read(start, 30);
      const data = await read(start + 30 + header.readUInt16LE(26) + header.readUInt16LE(28), length);
      return method === 0 ? data : await promisify<Buffer, Buffer>(inflateRaw)(data);
    }
    throw new Error(`${archive} holds no ${entry}`);
  } finally {
    await file.close();
  }
}
