// Cuts the bytes of a connection into SPDY frames and hands them on one after another, as fast as they are taken.
import type { Duplex } from 'node:stream';

const headBytes = 8;
const maxFrameBytes = 16 * 1024 * 1024;

/**
 * `take` answers false when the frame's reader is behind: reading stops until `resume`. A slow reader holds up its whole
 * connection, as Kubernetes' clients know no window to say it with.
 */
export function readFrames(connection: Duplex, take: (head: Buffer, payload: Buffer) => Promise<boolean>): { resume(): void } {
  let buffered: Buffer = Buffer.alloc(0);
  let pumping = false;
  /** The reader caught up while its frame was being handed over. */
  let caughtUp = false;
  const pump = async (): Promise<void> => {
    if (pumping) return;
    pumping = true;
    try {
      while (buffered.length >= headBytes) {
        const length = buffered.readUInt32BE(4) & 0xffffff;
        if (length > maxFrameBytes) throw new Error('SPDY frame too large');
        if (buffered.length < headBytes + length) break;
        const head = buffered.subarray(0, headBytes);
        const payload = buffered.subarray(headBytes, headBytes + length);
        buffered = buffered.subarray(headBytes + length);
        caughtUp = false;
        const more = await take(head, payload);
        if (!more && !caughtUp) return void connection.pause();
      }
      connection.resume();
    } catch (error) {
      connection.destroy(error as Error);
    } finally {
      pumping = false;
    }
  };
  connection.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    void pump();
  });
  return {
    resume() {
      caughtUp = true;
      void pump();
    },
  };
}
