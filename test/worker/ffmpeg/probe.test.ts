import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RejectedError } from '../../../core/model/errors.ts';
import { findSeek, probeSource } from '../../../worker/ffmpeg/probe.ts';
import { makeGrid } from '../../../worker/plan/grid.ts';
import { originSeconds } from '../../../worker/plan/phase.ts';
import { rational } from '../../../worker/plan/rational.ts';
import { clip, make } from '../../e2e/clips.ts';
import { fragmentsAt, patchMp4, withEdits } from '../../media/mp4.ts';
import type { Mp4Edit } from '../../media/mp4.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vodstack-probe-'));
});
afterAll(() => rm(directory, { recursive: true }));

const signal = new AbortController().signal;
const limits = { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 };

const probe = (address: string, more = {}) =>
  probeSource({
    address,
    limits,
    picture: 'optional' as const,
    ffmpeg: 'ffmpeg',
    ffprobe: 'ffprobe',
    signal,
    sizeBytes: statSync(address).size,
    ...more,
  });

async function rejection(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  return error instanceof RejectedError ? error.code : String(error);
}

describe('A source', () => {
  test('The duration of a source does not depend on memory that ffprobe leaves uninitialised', async () => {
    const file = clip({ name: 'cleared.mp4', seconds: 40, size: '320x180' });
    // https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html
    const ffprobe = join(directory, 'perturbed');
    writeFileSync(ffprobe, '#!/bin/sh\nMALLOC_PERTURB_=85 exec ffprobe "$@"\n', { mode: 0o755 });
    expect((await probe(file, { ffprobe })).durationSeconds).toBeCloseTo(40, 1);
  });

  test('The duration of a source comes from its packets', async () => {
    const media = await probe(clip({ name: 'measured.mp4', seconds: 5, rate: '30000/1001' }));
    expect(media.durationSeconds).toBeCloseTo(5, 1);
    expect(media).toMatchObject({
      startSeconds: 0,
      audio: [{ streams: [{ index: 1 }], channels: 1 }],
    });
    expect(media.video).toMatchObject({
      display: { width: 640, height: 360 },
      rates: { base: { num: 30_000, den: 1001 } },
      fieldOrder: 'progressive',
      transfer: 'sdr',
    });
  });

  test('A source that declares no duration is read to its end', async () => {
    const path = join(directory, 'live.mkv');
    const argv = ['-i', clip({ name: 'live-source.mp4', seconds: 4 }), '-c', 'copy', '-live', '1'];
    writeFileSync(path, readFileSync(make('live.mkv', argv)));
    expect((await probe(path)).durationSeconds).toBeCloseTo(4, 0);
  });

  test('The cover of an audio file is not taken for video', async () => {
    const cover = make('cover.png', [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=1000x1000',
      '-frames:v',
      '1',
    ]);
    const tone = make('covered.m4a', [
      ...[
        '-f',
        'lavfi',
        '-i',
        'sine=440:d=2',
        '-i',
        cover,
        '-map',
        '0',
        '-map',
        '1',
        '-c:a',
        'aac',
      ],
      ...['-c:v', 'mjpeg', '-disposition:v:0', 'attached_pic'],
    ]);
    expect(await probe(tone)).toMatchObject({
      cover: { index: 1 },
      audio: [{ streams: [{ index: 0 }] }],
    });
    expect(await probe(tone)).not.toHaveProperty('video');
    expect(await rejection(probe(tone, { picture: 'required' }))).toBe('sound_refused');
  });

  test('Sound or a picture that begins late is found', async () => {
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=192x108:r=25:d=12'];
    const sound = ['-f', 'lavfi', '-i', 'sine=440:d=12'];
    const codecs = ['-map', '0', '-map', '1', '-c:v', 'libx264', '-g', '50', '-c:a', 'aac'];
    const late = make('late-sound.ts', [...picture, '-itsoffset', '10', ...sound, ...codecs]);
    const media = await probe(late);
    expect(media).toMatchObject({
      opening: { late: true },
      audio: [{ streams: [{ index: 1 }], channels: 1 }],
    });
    expect(media.durationSeconds).toBeCloseTo(22, 0);
    const dark = make('late-picture.ts', ['-itsoffset', '10', ...picture, ...sound, ...codecs]);
    expect(await probe(dark)).toMatchObject({
      opening: { late: true },
      video: { display: { width: 192 } },
    });
  });

  test('A late stream of a container that declares none in advance is found', async () => {
    // The sound begins after more than the 5 MB that ffmpeg probes by default.
    const late = make('late-sound.mpg', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=25:d=12,noise=alls=60:allf=t'],
      ...['-itsoffset', '10', '-f', 'lavfi', '-i', 'sine=440:d=2', '-map', '0', '-map', '1'],
      ...['-c:v', 'mpeg2video', '-b:v', '8M', '-maxrate', '9M', '-bufsize', '4M', '-c:a', 'mp2'],
    ]);
    expect(statSync(late).size).toBeGreaterThan(8e6);
    expect(await probe(late)).toMatchObject({ opening: { late: true }, audio: [{ channels: 1 }] });
  });

  test('A source whose declared sound has no packets is silent', async () => {
    const path = join(directory, 'announced.ts');
    // The sound begins after the last picture; its packets are removed.
    const file = make('announced.ts', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=192x108:r=25:d=4', '-itsoffset', '60'],
      ...['-f', 'lavfi', '-i', 'sine=440:d=4', '-map', '0', '-map', '1', '-c:a', 'mp2'],
    ]);
    const bytes = readFileSync(file);
    const packets = Array.from({ length: bytes.length / 188 }, (_, at) =>
      bytes.subarray(at * 188, at * 188 + 188),
    );
    const ofSound = (packet: Buffer) => (packet.readUInt16BE(1) & 0x1fff) === 0x101;
    writeFileSync(path, Buffer.concat(packets.filter((packet) => !ofSound(packet))));
    expect(await probe(path)).toMatchObject({ audio: [] });
  });

  test('A source of several concatenated recordings is rejected, and never cut short', async () => {
    const part = readFileSync(clip({ name: 'part.ts', seconds: 4 }));
    const path = join(directory, 'strung.ts');
    writeFileSync(path, Buffer.concat([part, part]));
    expect(await rejection(probe(path))).toBe('unsupported_source');
  });

  test('The frame rate of a source of variable rate follows its pictures, not its declared rate', async () => {
    const file = make('paused.mp4', [
      ...['-f', 'lavfi', '-i', "testsrc2=s=192x108:r=25:d=40,select='lt(mod(t,10),3)'"],
      ...['-fps_mode', 'vfr', '-c:v', 'libx264', '-preset', 'ultrafast'],
    ]);
    // Matroska stores no frame rate, and ffmpeg writes the average.
    const { video } = await probe(make('paused.mkv', ['-i', file, '-c', 'copy']));
    expect(video).toMatchObject({ variableFrameRate: true, rates: { pace: 25 } });
  });

  test('A source whose packets are encrypted is rejected as encrypted', async () => {
    const key = '00112233445566778899aabbccddeeff';
    const file = clip({
      name: 'encrypted.mp4',
      seconds: 2,
      size: '320x180',
      more: [
        ...['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', key],
        ...['-encryption_kid', key],
      ],
    });
    expect(await rejection(probe(file))).toBe('encrypted_source');
  });

  test('An animated image is a video, and a single picture is not', async () => {
    const frames = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=20'];
    for (const name of ['moving.gif', 'moving.apng']) {
      const media = await probe(make(name, frames));
      expect(media).toMatchObject({ durationSeconds: 20, audio: [], video: { index: 0 } });
    }
    const still = make('still.gif', [...frames, '-frames:v', '1']);
    expect(await rejection(probe(still))).toBe('still_image');
  });

  test('A source with more than a thousand streams is rejected', async () => {
    const bytes = readFileSync(clip({ name: 'streams.mp4', seconds: 1, size: '320x180' }));
    const moov = bytes.indexOf('moov') - 4;
    const trak = bytes.lastIndexOf('trak') - 4;
    const track = bytes.subarray(trak, trak + bytes.readUInt32BE(trak));
    const tracks = Buffer.concat(Array.from({ length: 1001 }, () => track));
    const whole = Buffer.concat([bytes.subarray(0, moov + bytes.readUInt32BE(moov)), tracks]);
    whole.writeUInt32BE(bytes.readUInt32BE(moov) + tracks.length, moov);
    const path = join(directory, 'streams.mp4');
    writeFileSync(path, whole);
    expect(await rejection(probe(path))).toBe('too_many_streams');
  });

  test('A source with endless tags is rejected', async () => {
    const program = join(directory, 'talkative');
    writeFileSync(program, '#!/bin/sh\nyes "a tag without an end" | head -c 40000000\n', {
      mode: 0o755,
    });
    const file = clip({ name: 'limits.mp4', seconds: 3 });
    expect(await rejection(probe(file, { ffprobe: program }))).toBe('too_demanding');
  });

  test('A source beyond a limit is rejected with the code of that limit', async () => {
    const file = clip({ name: 'limits.mp4', seconds: 3 });
    const refuse = (limit: object) => rejection(probe(file, { limits: { ...limits, ...limit } }));
    expect(await refuse({ maxDurationSeconds: 2 })).toBe('source_too_long');
    expect(await refuse({ maxSizeBytes: 1000 })).toBe('source_too_large');
    expect(await refuse({ maxPicturePixels: 1000 })).toBe('picture_too_large');
  });

  test('A truncated source is rejected, wherever its index is', async () => {
    const cut = (name: string, file: string, share: number) => {
      const path = join(directory, name);
      const whole = readFileSync(file);
      writeFileSync(path, whole.subarray(0, Math.round(whole.length * share)));
      return rejection(probe(path));
    };
    const front = clip({ name: 'index-first.mp4', seconds: 20, more: ['-movflags', '+faststart'] });
    expect(await cut('front.mp4', front, 0.5)).toBe('truncated_source');
    expect(await cut('back.mp4', clip({ name: 'index-last.mp4', seconds: 20 }), 0.9)).toBe(
      'unreadable_source',
    );
    const mkv = make('whole.mkv', ['-i', front, '-c', 'copy']);
    expect(await cut('cut.mkv', mkv, 0.5)).toBe('truncated_source');
  });

  test.each([
    ['mdhd', 'each track is 0 s long', 16, 0],
    ['mvhd', 'the whole is 0 s long', 16, 0],
    ['elst', 'nothing is shown', 8, 0],
    ['elst', '80 ms are shown', 8, 80],
  ])('A source of 6 s whose %s declares that %s lasts 6 s', async (type, _lie, offset, value) => {
    const path = join(directory, `${type}-${offset}-${value}.mp4`);
    const file = clip({ name: 'honest.mp4', seconds: 6, size: '320x180' });
    writeFileSync(path, patchMp4(readFileSync(file), type, offset, value));
    expect((await probe(path)).durationSeconds).toBeCloseTo(6, 1);
  });

  test('A source whose tracks have no time scale is rejected', async () => {
    const path = join(directory, 'timescale.mp4');
    const file = clip({ name: 'honest.mp4', seconds: 6, size: '320x180' });
    writeFileSync(path, patchMp4(readFileSync(file), 'mdhd', 12, 0));
    expect(await rejection(probe(path))).toBe('unsupported_source');
  });

  test('A Matroska file whose tags declare 0 s lasts as long as its packets', async () => {
    const file = clip({ name: 'honest.mp4', seconds: 6, size: '320x180' });
    const bytes = readFileSync(make('tagged.mkv', ['-i', file, '-c', 'copy']));
    const tag = /00:00:06\.\d{9}/g;
    const lied = Buffer.from(bytes.toString('latin1').replace(tag, '00:00:00.000000000'), 'latin1');
    expect(lied.equals(bytes)).toBe(false);
    const path = join(directory, 'tagged.mkv');
    writeFileSync(path, lied);
    expect((await probe(path)).durationSeconds).toBeCloseTo(6, 1);
  });

  test.each([30, 3600, 1_700_000_000])(
    'A fragmented source that begins at %d s lasts from then on',
    async (start) => {
      const file = clip({ name: 'honest.mp4', seconds: 20, size: '320x180' });
      const flags = 'empty_moov+default_base_moof+frag_keyframe';
      const bytes = readFileSync(
        make('fragments.mp4', ['-i', file, '-c', 'copy', '-movflags', flags]),
      );
      const path = join(directory, `fragments-${start}.mp4`);
      writeFileSync(path, fragmentsAt(bytes, start, [12_800, 48_000]));
      const { startSeconds, durationSeconds } = await probe(path);
      expect(startSeconds).toBeCloseTo(start, 3);
      expect(durationSeconds).toBeCloseTo(20, 0);
    },
  );

  test('A source with several edits lasts as long as they define', async () => {
    const file = readFileSync(clip({ name: 'honest.mp4', seconds: 6, size: '320x180' }));
    const tracks = [
      { scale: 12_800, start: 0 },
      { scale: 48_000, start: 1024 },
    ];
    const edits: readonly (readonly [string, readonly Mp4Edit[], number])[] = [
      [
        'cut',
        [
          { seconds: 1.5, from: 0 },
          { seconds: 1.5, from: 3 },
        ],
        3,
      ],
      [
        'repeated',
        [
          { seconds: 4, from: 0 },
          { seconds: 4, from: 1 },
        ],
        8,
      ],
      [
        'late',
        [
          { seconds: 1, from: undefined },
          { seconds: 5, from: 0 },
        ],
        6,
      ],
    ];
    for (const [name, list, seconds] of edits) {
      const path = join(directory, `${name}.mp4`);
      writeFileSync(path, withEdits(file, list, tracks));
      const { startSeconds, durationSeconds } = await probe(path);
      expect([name, startSeconds + durationSeconds]).toEqual([name, expect.closeTo(seconds, 1)]);
    }
  });

  test('A source of one picture a second with reordered pictures is measured to its end', async () => {
    const slow = make('slow.mkv', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=128x72:r=1:d=20', '-f', 'lavfi', '-i', 'sine=440:d=20'],
      ...['-c:v', 'libx264', '-bf', '3', '-x264-params', 'b-adapt=0', '-c:a', 'aac'],
    ]);
    expect((await probe(slow)).durationSeconds).toBeCloseTo(20, 0);
  });

  test('A source that does not exist is reported as gone', async () => {
    const gone = probeSource({
      address: join(directory, 'nothing'),
      sizeBytes: 1,
      limits,
      picture: 'optional' as const,
      ffmpeg: 'ffmpeg',
      ffprobe: 'ffprobe',
      signal,
    });
    expect(await rejection(gone)).toBe('source_gone');
  });

  test('The error of a missing ffprobe tells what to install', async () => {
    const file = clip({ name: 'limits.mp4', seconds: 3 });
    await expect(probe(file, { ffprobe: 'no-such-program' })).rejects.toThrow(
      'ffprobe is not installed. Run ./scripts/setup',
    );
  });
});

describe('A picture', () => {
  test('A source starts with its sound, or with the first picture that can be decoded', async () => {
    const file = make('open.ts', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=128x72:r=25:d=6', '-f', 'lavfi', '-i', 'sine=440:d=6'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50', '-c:a', 'aac'],
    ]);
    // Like a recording that starts in the middle: the next key frame is at 2 s.
    const bytes = readFileSync(file);
    const middle = Math.round(bytes.length / 188 / 6) * 188;
    const path = join(directory, 'joined.ts');
    writeFileSync(path, bytes.subarray(middle));
    const whole = await probe(file);
    const { pictureSeconds = NaN, startSeconds, durationSeconds } = await probe(path);
    expect(pictureSeconds - (whole.pictureSeconds ?? NaN)).toBeCloseTo(2, 2);
    expect(startSeconds).toBeLessThan(pictureSeconds - 0.3);
    expect(startSeconds + durationSeconds).toBeCloseTo(whole.startSeconds + 6, 1);
    const silent = make('silent.ts', ['-i', path, '-c', 'copy', '-an', '-copyts']);
    const quiet = await probe(silent);
    expect(quiet.startSeconds).toBeCloseTo(quiet.pictureSeconds ?? NaN, 6);
  });
});

describe('A seek', () => {
  const at = async (file: string, seconds: number) => {
    const media = await probe(file);
    const grid = makeGrid(rational(25, 1), 100);
    const source = { address: file, ffmpeg: 'ffmpeg', ffprobe: 'ffprobe', signal };
    return findSeek(source, { media, grid, originSeconds: originSeconds(media) }, seconds * 25);
  };
  const spaced = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250', '-keyint_min', '250'];
  const SPARSE = [...spaced, '-sc_threshold', '0'];

  test('A seek in an indexed container goes to the wanted time, as ffmpeg finds the key frame', async () => {
    expect(await at(clip({ name: 'seek.mp4', seconds: 5 }), 3)).toBe(3);
    expect(await at(clip({ name: 'seek.mp4', seconds: 5 }), 0)).toBeUndefined();
  });

  test('A seek in Matroska goes back to a key frame, or to the start if there is none', async () => {
    const file = make('late-picture.mkv', [
      ...['-itsoffset', '30', '-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=20'],
      ...['-f', 'lavfi', '-i', 'sine=440:d=50', ...SPARSE, '-c:a', 'aac'],
    ]);
    expect(await at(file, 25)).toBeUndefined();
    expect(await at(file, 35)).toBeCloseTo(35, 1);
  });

  test('A seek in a transport stream goes back before a key frame', async () => {
    const file = make('seek.ts', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=25:d=60', ...SPARSE],
    ]);
    // Key frames are at 0, 10, 20 … s, and the clock begins at about 1.5 s.
    expect(await at(file, 55)).toBeCloseTo(55 - 16 + 1.5, 0);
    expect(await at(file, 53)).toBeCloseTo(53 - 4 + 1.5, 0);
    expect(await at(file, 8)).toBeUndefined();
  });

  test('A seek goes back to a real key frame if the index marks all pictures as key frames', async () => {
    const honest = make('sparse.mp4', [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=128x72:r=25:d=30', ...SPARSE],
    ]);
    const path = join(directory, 'all-keys.mp4');
    const free = (bytes: Buffer) =>
      Buffer.from(bytes.toString('latin1').replace('stss', 'free'), 'latin1');
    writeFileSync(path, free(readFileSync(honest)));
    expect(await at(honest, 28)).toBe(28);
    expect(await at(path, 28)).toBe(12);
    expect(await at(path, 22)).toBe(18);
  });
});
