import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.open();
  machine.start();
});
afterAll(() => machine.close());

async function uploadText(name: string, text: string | Buffer) {
  const path = join(machine.directory, name);
  await writeFile(path, text);
  return machine.upload(path, name);
}

const empty = { visible: 0, inFlight: 0, delayed: 0 };

test('A text file is rejected once, with a sentence, and a repeated upload is not worked on', async () => {
  await uploadText('notes.mp4', 'These are notes, and no video.');
  expect(await machine.event()).toMatchObject({
    type: 'asset.rejected',
    code: 'unreadable_source',
    reason: expect.stringMatching(/not a video.*again\.$/) as string,
  });
  await uploadText('notes.mp4', 'These are notes, and no video.');
  await uploadText('empty.mp4', '');
  // Events come in order: a second event of the text file would come before this one.
  expect(await machine.event()).toMatchObject({ code: 'empty_source' });
  await machine.stop();
  expect(await machine.counts('JOB_QUEUE')).toEqual(empty);
  machine.start();
});

test('The rejection of a file that is not a video names its type, if its signature is known', async () => {
  await uploadText('picture.mp4', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'));
  expect(await machine.event()).toMatchObject({
    code: 'still_image',
    reason: expect.stringContaining('a still image (PNG)') as string,
  });
});

test('The rejection of a truncated video tells its declared and its real duration', async () => {
  const whole = readFileSync(
    clip({ name: 'front.mp4', seconds: 10, more: ['-movflags', '+faststart'] }),
  );
  await uploadText('cut.mp4', whole.subarray(0, whole.length * 0.5));
  expect(await machine.event()).toMatchObject({
    code: 'truncated_source',
    reason: expect.stringMatching(/lasts 10\.0 s, but ends after [3-7]\.\d s/) as string,
  });
});

test('A playlist or script with the name of a video is rejected, and the URLs and files in it are not opened', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const address = `http://127.0.0.1:${port}`;
    const files = {
      'playlist.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n${address}/a.ts\n#EXT-X-ENDLIST\n`,
      'concat.mp4': `ffconcat version 1.0\nfile ${address}/b.ts\nfile /etc/passwd\n`,
      'session.mp4': `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${port} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
      'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT6S"><Period><AdaptationSet><Representation id="1"><BaseURL>${address}/c.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    };
    for (const [name, text] of Object.entries(files)) {
      await uploadText(name, text);
      expect(await machine.event()).toMatchObject({ code: 'unreadable_source' });
    }
    expect(asked).toEqual([]);
  } finally {
    server.close();
  }
});

test('A video of which no frame can be decoded is rejected as damaged', async () => {
  const bytes = readFileSync(clip({ name: 'scrambled-source.mp4', seconds: 4, sound: false }));
  const from = bytes.indexOf('mdat') + 4;
  const scrambled = Buffer.from(bytes);
  scrambled.fill(0xa5, from, bytes.indexOf('moov', from) - 4);
  await uploadText('scrambled.mp4', scrambled);
  expect(await machine.event()).toMatchObject({ type: 'asset.rejected', code: 'damaged_source' });
});

test('A source that is deleted before its job begins is rejected, and becomes an asset when uploaded again', async () => {
  await machine.stop();
  const file = clip({ name: 'gone.mp4', seconds: 2, size: '160x90', sound: false });
  const { bucket, key, assetId } = await machine.upload(file);
  await machine.backend.store.delete(bucket, key);
  machine.start();
  expect(await machine.event()).toMatchObject({ type: 'asset.rejected', code: 'source_gone' });
  await machine.upload(file);
  expect(await machine.ready()).toMatchObject({ assetId });
});

test('A source that is replaced while it is encoded is rejected, and its successor becomes an asset', async () => {
  await machine.stop();
  const worker = machine.start();
  const first = await machine.upload(clip({ name: 'first.mp4', seconds: 20 }), 'talk.mp4');
  await worker.encodes('video-00000');
  const second = await machine.upload(
    clip({ name: 'second.mp4', seconds: 2, size: '160x90' }),
    'talk.mp4',
  );
  expect(await machine.event()).toMatchObject({
    type: 'asset.rejected',
    code: 'source_replaced',
    assetId: first.assetId,
  });
  expect(await machine.ready()).toMatchObject({ assetId: second.assetId });
  expect([...(await machine.published(first.assetId)).keys()]).not.toContain(
    `v/${first.assetId}/index.m3u8`,
  );
});
