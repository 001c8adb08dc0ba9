// SPDY framing: two of our ends talk over a real socket; kubectl and containerd are the judges in test/e2e.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createHash, randomBytes } from 'node:crypto';
import type { SpdyStream } from './connection.ts';
import { createSpdyConnection } from './connection.ts';
import { controlFrame, frameTypes } from './frames.ts';
import { dictionary, headerDecoder, headerEncoder, uint32 } from './header-block.ts';

async function pair(onStream: (stream: SpdyStream) => void) {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  const server = createSpdyConnection(accepted, { role: 'server', onStream });
  const client = createSpdyConnection(socket, { role: 'client' });
  return { client, server, socket, accepted };
}

test('the dictionary is that of the SPDY/3 draft', () => {
  assert.equal(dictionary.length, 1423);
  assert.equal(createHash('sha256').update(dictionary).digest('hex').slice(0, 16), '51d27341373f923f');
});

test('header blocks decode in order, also behind one another in one zlib stream', async () => {
  const encode = headerEncoder();
  const decoder = headerDecoder();
  assert.deepEqual(await decoder.decode(encode({ streamType: 'stdin', port: '80' })), { streamtype: 'stdin', port: '80' });
  assert.deepEqual(await decoder.decode(encode({})), {});
  decoder.close();
});

test('a stream carries 3 MB each way and both ends see its end', async () => {
  const sent = randomBytes(3_000_000);
  const { client, server } = await pair(({ channel }) => channel.pipe(channel));
  const { channel } = client.open({ streamtype: 'data' });
  channel.end(sent);
  assert.ok(sent.equals(await buffer(channel)));
  client.close();
  assert.equal(await server.done, undefined);
});

test('a half-closed stream still answers', async () => {
  const { client } = await pair(({ channel, headers }) => {
    void text(channel).then((question) => channel.end(`${headers.streamtype}: ${question}`));
  });
  const { channel } = client.open({ streamtype: 'echo' });
  channel.end('hello');
  assert.equal(await text(channel), 'echo: hello');
  client.close();
});

test('a stream that is reset ends alone: it reads to an end and can be written no more', async () => {
  const { client } = await pair(({ channel, headers }) => {
    if (headers.streamtype === 'bad') channel.write('last words', () => channel.destroy());
    else channel.pipe(channel);
  });
  const bad = client.open({ streamtype: 'bad' }).channel;
  const good = client.open({ streamtype: 'good' }).channel;
  bad.on('error', () => undefined);
  assert.equal(await text(bad), 'last words');
  await assert.rejects(new Promise<void>((resolve, reject) => bad.write('more', (error) => (error ? reject(error) : resolve()))));
  good.end('still here');
  assert.equal(await text(good), 'still here');
  client.close();
});

test('a lost connection ends its streams', async () => {
  const { client, server } = await pair(() => undefined);
  const { channel } = client.open({ streamtype: 'data' });
  const ended = text(channel).catch((error: Error) => error);
  server.close(new Error('gone'));
  await ended;
  await client.done;
});

test('a connection that goes while nobody reads ends for both, though bytes are left', async () => {
  const opened = Promise.withResolvers<SpdyStream>();
  const { client, server, accepted } = await pair(opened.resolve);
  const { channel } = client.open({ streamtype: 'data' });
  channel.on('error', () => undefined);
  channel.write(randomBytes(1_000_000));
  await once((await opened.promise).channel, 'readable');
  accepted.destroy();
  assert.match(String(await server.done), /the connection was lost/);
  await client.done;
});

test('a stream with the number of an earlier one is refused and nobody hears of it', async () => {
  const seen: SpdyStream[] = [];
  const { client, socket } = await pair((stream) => {
    seen.push(stream);
    stream.channel.pipe(stream.channel);
  });
  const first = client.open({ streamtype: 'first' }).channel;
  const encode = headerEncoder();
  encode({});
  const again = Buffer.concat([uint32(1), uint32(0), Buffer.alloc(2), encode({ streamtype: 'again' })]);
  socket.write(controlFrame(frameTypes.synStream, again));
  first.on('error', () => undefined);
  assert.equal(await text(first), '', 'the refusal names the stream, as SPDY has it');
  assert.deepEqual(
    seen.map(({ headers }) => headers.streamtype),
    ['first'],
  );
  client.close();
});
