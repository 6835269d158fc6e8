import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../../core/log.ts';
import { LADDER } from '../../../core/model/ladder.ts';
import { makeImageFiles } from '../../../worker/ffmpeg/images.ts';
import { probeSource } from '../../../worker/ffmpeg/probe.ts';
import { runFfmpeg } from '../../../worker/ffmpeg/run.ts';
import type { EncoderRun } from '../../../worker/ffmpeg/run.ts';
import { unitLimits } from '../../../worker/plan/limits.ts';
import { planAsset } from '../../../worker/plan/plan-asset.ts';
import { clip, make } from '../../e2e/clips.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vodstack-images-'));
});
afterAll(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;
const log = createLog('silent');
const limits = { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 };

/** Makes all images of a file, by their names. */
async function imagesOf(
  address: string,
  more: Partial<EncoderRun> = {},
): Promise<ReadonlyMap<string, Uint8Array>> {
  const sizeBytes = statSync(address).size;
  const plan = planAsset({
    jobId: 'job',
    assetId: 'asset',
    title: 'A title',
    ladder: LADDER,
    source: { bucket: 'sources', key: 'key', etag: 'etag', sizeBytes },
    media: await probeSource({
      address,
      sizeBytes,
      limits,
      picture: 'optional',
      ffmpeg: 'ffmpeg',
      ffprobe: 'ffprobe',
      signal,
    }),
    encoder: { preset: 'ultrafast', crf: 30 },
  });
  const directory = await mkdtemp(join(folder, 'images-'));
  const run = (argv: readonly string[]) =>
    runFfmpeg({
      argv,
      ffmpeg: 'ffmpeg',
      stallSeconds: 60,
      signal,
      log,
      limits: unitLimits(plan, { kind: 'images', name: 'images' }),
      ...more,
    });
  const images = new Map<string, Uint8Array>();
  for await (const { name, bytes } of makeImageFiles(plan, { address, directory }, run)) {
    images.set(name, bytes);
  }
  return images;
}

/** The average colours of the cells of a grid with that many columns and rows. */
function colors(jpeg: Uint8Array | undefined, columns: number, rows: number): readonly Rgb[] {
  const scale = ['-vf', `scale=${columns}:${rows}:flags=area`, '-pix_fmt', 'rgb24'];
  const bytes = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-f', 'mjpeg', '-i', 'pipe:0', ...scale, '-f', 'rawvideo', 'pipe:1'],
    { input: jpeg ?? '' },
  );
  return Array.from({ length: columns * rows }, (_, at) => {
    const [red = 0, green = 0, blue = 0] = bytes.subarray(at * 3);
    return { red, green, blue };
  });
}

interface Rgb {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** A second of silence and a second of a tone, with a red cover. */
function song(name: string, cover: string): string {
  const picture = make(`cover.${cover}`, [
    ...['-f', 'lavfi', '-i', 'testsrc2=s=400x400,drawbox=c=red:t=fill', '-frames:v', '1'],
  ]);
  return make(name, [
    ...['-f', 'lavfi', '-i', 'sine=440:d=2,volume=enable=lt(t\\,1):volume=0', '-i', picture],
    ...['-map', '0', '-map', '1', '-c:a', 'aac', '-c:v', 'copy', '-disposition:v', 'attached_pic'],
  ]);
}

describe('The poster of an audio file', () => {
  const half = make('half.m4a', [
    ...['-f', 'lavfi', '-i', 'sine=440:d=2,volume=enable=lt(t\\,1):volume=0', '-c:a', 'aac'],
  ]);

  test('The poster of an audio file shows where the sound is loud', async () => {
    const images = await imagesOf(half);
    expect([...images.keys()]).toEqual(['poster.jpg', 'thumbnail-640.jpg', 'thumbnail-320.jpg']);
    const [silent, loud] = colors(images.get('poster.jpg'), 2, 1);
    expect(silent?.blue).toBeLessThan(50);
    expect(loud?.blue).toBeGreaterThan(60);
  });

  test('The poster of an audio file with a cover is the cover', async () => {
    const images = await imagesOf(song('song.m4a', 'jpg'));
    expect([...images.keys()]).toEqual(['poster.jpg', 'thumbnail-320.jpg']);
    for (const jpeg of images.values()) {
      expect(colors(jpeg, 1, 1)[0]?.red).toBeGreaterThan(230);
      expect(colors(jpeg, 1, 1)[0]?.blue).toBeLessThan(30);
    }
  });

  test('The poster of an audio file with a damaged cover shows the sound', async () => {
    const bytes = Buffer.from(readFileSync(song('song.mp4', 'png')));
    const data = bytes.indexOf('IDAT') + 4;
    bytes.fill(0xa5, data, bytes.indexOf('IEND') - 8);
    const path = join(folder, 'damaged.m4a');
    writeFileSync(path, bytes);
    const [silent, loud] = colors((await imagesOf(path)).get('poster.jpg'), 2, 1);
    expect(silent?.red).toBeLessThan(50);
    expect(loud?.blue).toBeGreaterThan(60);
  });
});

test('The run for images is not ended while it reads the source, although it shows no progress', async () => {
  // Reads in real time, which takes twice as long as the stall limit.
  const ffmpeg = join(folder, 'slow');
  writeFileSync(ffmpeg, '#!/bin/sh\nexec ffmpeg -re "$@"\n', { mode: 0o755 });
  const source = clip({ name: 'slow.mp4', seconds: 6, size: '160x90', sound: false });
  const images = await imagesOf(source, { ffmpeg, stallSeconds: 3 });
  expect([...images.keys()]).toContain('poster.jpg');
});

test('The run for images is ended if it hangs', async () => {
  const ffmpeg = join(folder, 'hangs');
  writeFileSync(ffmpeg, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
  const source = clip({ name: 'slow.mp4', seconds: 6, size: '160x90', sound: false });
  await expect(imagesOf(source, { ffmpeg, stallSeconds: 0.5 })).rejects.toThrow(
    'ffmpeg made no progress for 0.5 s',
  );
});
