import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clip, make } from './clips.ts';
import { Machine } from './machine.ts';

// Slow: workers encode real clips.
let machine: Machine;
beforeAll(async () => {
  machine = await Machine.open();
  machine.start();
});
afterAll(() => machine.close());

async function check(file: string, key?: string) {
  await machine.upload(file, key);
  const asset = await machine.ready();
  return { asset, problems: await machine.check(asset, file) };
}

describe('A clip of several chunks', () => {
  test('A clip of several chunks with special characters in its name becomes an asset that passes the HLS checker', async () => {
    const file = clip({ name: 'long.mp4', seconds: 75, size: '854x480', rate: '30000/1001' });
    const { asset, problems } = await check(file, '강의/#2 4 100% +a?b&c "Q".mp4');
    expect(problems).toEqual([]);
    expect(asset.title).toBe('#2 4 100% +a?b&c "Q"');
    expect(asset.durationSeconds).toBeCloseTo(75, 0);
    expect(asset.renditions.map(({ name, width, height }) => [name, width, height])).toEqual([
      ['480p', 854, 480],
      ['360p', 640, 360],
      ['234p', 416, 234],
    ]);
    expect(asset.audio).toHaveLength(1);
    const objects = await machine.published(asset.assetId);
    for (const key of objects.keys()) expect(key).toMatch(/^[a-z0-9/._-]+$/);
    expect([...objects.keys()].filter((key) => key.endsWith('480p/00012.ts'))).toHaveLength(1);
  });

  test('A published clip leaves nothing in the queues and nothing on the disk', async () => {
    await machine.stop();
    expect(await machine.counts('JOB_QUEUE')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect(await machine.counts('DEAD_LETTER_QUEUE')).toEqual({
      visible: 0,
      inFlight: 0,
      delayed: 0,
    });
    expect(machine.leftovers()).toEqual([]);
    machine.start();
  });
});

describe('A clip', () => {
  test('A clip of variable frame rate with still pictures passes the checker', async () => {
    const file = make('vfr.mp4', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=30:d=9', '-f', 'lavfi', '-i', 'sine=440:d=9'],
      ...['-vf', "select='not(between(t,2,4))*not(eq(mod(n,7),3))'", '-fps_mode', 'vfr'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
    ]);
    expect((await check(file)).problems).toEqual([]);
  });

  test('A clip whose sound starts late passes the checker', async () => {
    const file = make('late.mkv', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=7'],
      ...['-itsoffset', '2', '-f', 'lavfi', '-i', 'sine=440:d=5'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'libopus'],
    ]);
    expect((await check(file)).problems).toEqual([]);
  });

  test('A clip whose sound outlasts the picture passes the checker and is as long as the sound', async () => {
    const file = make('outlasts.mp4', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=3', '-f', 'lavfi', '-i', 'sine=440:d=8'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
    ]);
    const { asset, problems } = await check(file);
    expect(problems).toEqual([]);
    expect(asset.durationSeconds).toBeCloseTo(8, 1);
  });

  test.each([
    ['begins', 31, 29],
    ['has begun', 20, 40],
    ['has ended', 0, 20],
  ])(
    'A clip whose picture %s at a chunk border passes the checker',
    async (_when, from, seconds) => {
      const file = make(`picture-${from}.mkv`, [
        ...['-itsoffset', String(from), '-f', 'lavfi', '-i', `testsrc2=s=160x90:r=10:d=${seconds}`],
        ...['-f', 'lavfi', '-i', 'sine=440:d=60', '-c:v', 'libx264', '-preset', 'ultrafast'],
        ...['-g', '100', '-keyint_min', '100', '-sc_threshold', '0', '-c:a', 'aac'],
      ]);
      const { asset, problems } = await check(file);
      expect(problems).toEqual([]);
      expect(asset.durationSeconds).toBeCloseTo(60, 0);
    },
  );

  test('A clip that a phone has rotated is shown upright', async () => {
    const flat = clip({ name: 'flat.mp4', seconds: 2, size: '480x270' });
    const file = make('turned.mp4', ['-i', flat, '-c', 'copy', '-metadata:s:v:0', 'rotate=90']);
    const { asset, problems } = await check(file);
    expect(problems).toEqual([]);
    expect(asset.renditions[0]).toMatchObject({ width: 270, height: 480 });
  });

  test('A transport stream with distant key frames is complete after each chunk border', async () => {
    const file = make('sparse.ts', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=24:d=70'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '240', '-sc_threshold', '0'],
      ...['-output_ts_offset', '1000'],
    ]);
    const { asset, problems } = await check(file);
    expect(problems).toEqual([]);
    expect(asset.audio).toEqual([]);
  });

  test('A clip of one picture becomes an asset of one frame', async () => {
    const file = make('one.mp4', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=65x49:r=25:d=1', '-frames:v', '1'],
      ...['-pix_fmt', 'yuv444p', '-c:v', 'libx264'],
    ]);
    expect((await check(file)).problems).toEqual([]);
  });

  test('A clip with three languages becomes an asset with a track for each', async () => {
    const file = make('languages.mkv', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=4'],
      ...['-f', 'lavfi', '-i', 'sine=440:d=4', '-f', 'lavfi', '-i', 'sine=660:d=4'],
      ...['-map', '0', '-map', '1', '-map', '2', '-map', '1', '-c:a', 'aac'],
      ...['-metadata:s:a:0', 'language=kor', '-metadata:s:a:1', 'language=eng'],
      ...['-disposition:a:1', 'default', '-disposition:a:0', '0'],
    ]);
    const { asset, problems } = await check(file);
    expect(problems).toEqual([]);
    expect(asset.audio.map(({ label, language }) => [label, language])).toEqual([
      ['Korean', 'ko'],
      ['English', 'en'],
      ['Audio', 'und'],
    ]);
    const playlist = (await machine.read(asset.playlist)).toString();
    expect(playlist.match(/DEFAULT=YES/g)).toHaveLength(1);
    expect(playlist).toMatch(/NAME="English",LANGUAGE="en",DEFAULT=YES/);
  });
});

describe('An audio file', () => {
  const tone = make('tone.m4a', ['-f', 'lavfi', '-i', 'sine=440:d=14', '-c:a', 'aac']);

  test('An audio file, or the sound of a video if its job asks for that, becomes an asset with a poster', async () => {
    const { asset, problems } = await check(tone);
    expect(problems).toEqual([]);
    expect(asset).toMatchObject({ renditions: [], audio: [{ name: 'audio-0' }] });
    expect(asset).not.toHaveProperty('storyboard');
    const poster = await machine.read(asset.poster ?? '');
    expect(poster.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    const { bucket, key } = await machine.upload(clip({ name: 'heard.mp4', seconds: 3 }));
    await machine.ready();
    const options = { soundOnly: true, title: 'A tone' };
    await machine.send(JSON.stringify({ type: 'job', source: { bucket, key }, options }));
    expect(await machine.ready()).toMatchObject({ title: 'A tone', renditions: [] });
  });

  test('An audio file is rejected if the configuration refuses audio files', async () => {
    await machine.stop();
    machine.start({ SOUND_ALONE: 'refused' });
    await machine.upload(tone, 'refused.m4a');
    expect(await machine.event()).toMatchObject({ type: 'asset.rejected', code: 'sound_refused' });
    await machine.stop();
    machine.start();
  });
});

test('A job with one rung and a title replaces the published version of the asset', async () => {
  const { bucket, key, assetId } = await machine.upload(clip({ name: 'again.mp4', seconds: 3 }));
  const first = await machine.ready();
  const options = { ladder: ['234p'], title: 'Small' };
  await machine.send(JSON.stringify({ type: 'job', source: { bucket, key }, options }));
  const second = await machine.ready();
  expect(second.assetId).toBe(assetId);
  expect(second.version).not.toBe(first.version);
  expect(second.renditions.map(({ name }) => name)).toEqual(['234p']);
  expect((await machine.read(second.playlist)).toString()).toContain(`${second.version}/234p`);
});
