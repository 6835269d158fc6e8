import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alignContinuityCounters } from '../../worker/plan/containers/transport-stream.ts';
import { checkHls } from './check.ts';

const files = new Map<string, Buffer>();
const RATE = { '360p': 0, '180p': 0, audio: 0 };
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vodstack-checker-'));
  const encode = (name: string, argv: readonly string[], borders: string) => {
    const mux = ['-muxdelay', '0', '-muxpreload', '0', '-output_ts_offset', '10', '-f', 'segment'];
    const cut = ['-segment_format', 'mpegts', '-segment_frames', borders];
    const out = join(directory, `${name}-%d.ts`);
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', ...argv, ...mux, ...cut, out]);
    for (let index = 0; index < 3; index += 1) {
      const bytes = Buffer.from(
        alignContinuityCounters(readFileSync(join(directory, `${name}-${index}.ts`))),
      );
      files.set(`/v/${name}/${index}.ts`, bytes);
    }
  };
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'high', '-bf', '0'];
  const gop = ['-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-x264-params', '8x8dct=1'];
  for (const [name, size] of [
    ['360p', '640x360'],
    ['180p', '320x180'],
  ] as const) {
    encode(
      name,
      ['-i', `testsrc2=s=${size}:r=25:d=14`, ...x264, ...gop, '-pix_fmt', 'yuv420p'],
      '150,300',
    );
  }
  encode('audio', ['-i', 'sine=440:d=14:r=48000', '-c:a', 'aac', '-ac', '2'], '283,564');
  const extinf = { '360p': [6, 6, 2], '180p': [6, 6, 2], audio: [283, 281, 0] };
  for (const name of ['360p', '180p', 'audio'] as const) {
    const total = [0, 1, 2].reduce((sum, index) => sum + size(`/v/${name}/${index}.ts`), 0);
    RATE[name] = (total * 8) / 14;
    const last = Math.ceil((14 * 48_000) / 1024) + 1 - 564;
    const seconds =
      name === 'audio' ? [283, 281, last].map((count) => (count * 1024) / 48_000) : extinf[name];
    files.set(`/v/${name}/index.m3u8`, Buffer.from(media(seconds)));
  }
  files.set('/v/index.m3u8', Buffer.from(master()));
  const cue = '00:00:00.000 --> 00:00:14.000\nboard-0.jpg#xywh=0,0,160,90\n';
  files.set('/v/images/board.vtt', Buffer.from(`WEBVTT\n\n${cue}`));
  files.set('/v/images/board-0.jpg', Buffer.from('a picture'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const size = (path: string) => files.get(path)?.length ?? 0;

function media(seconds: readonly number[]): string {
  const lines = seconds.flatMap((one, index) => [`#EXTINF:${one.toFixed(6)},`, `${index}.ts`]);
  const head = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    '#EXT-X-TARGETDURATION:6',
    '#EXT-X-PLAYLIST-TYPE:VOD',
  ];
  return [...head, ...lines, '#EXT-X-ENDLIST', ''].join('\n');
}

function peak(name: '360p' | '180p' | 'audio'): number {
  return Math.max(...[0, 1].map((index) => (size(`/v/${name}/${index}.ts`) * 8) / 6), RATE[name]);
}

function master(): string {
  const variant = (name: '360p' | '180p', resolution: string, level: string) => [
    `#EXT-X-STREAM-INF:BANDWIDTH=${Math.ceil(peak(name) + peak('audio'))},AVERAGE-BANDWIDTH=${Math.ceil(RATE[name] + RATE.audio)},CODECS="avc1.6400${level},mp4a.40.2",RESOLUTION=${resolution},FRAME-RATE=25.000,AUDIO="a"`,
    `${name}/index.m3u8`,
  ];
  return [
    ...['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-INDEPENDENT-SEGMENTS'],
    '#EXT-X-SESSION-DATA:DATA-ID="com.apple.hls.title",VALUE="A title"',
    '#EXT-X-SESSION-DATA:DATA-ID="example.storyboard",VALUE="images/board.vtt"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="A",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="audio/index.m3u8"',
    ...variant('360p', '640x360', '1e'),
    ...variant('180p', '320x180', '0c'),
    '',
  ].join('\n');
}

type Changes = Readonly<Record<string, (bytes: Buffer) => Buffer>>;

async function check(changes: Changes = {}, expected = {}): Promise<string> {
  const read = (path: string) => {
    const bytes = files.get(path);
    if (!bytes) return Promise.reject(new Error(`${path} does not exist.`));
    return Promise.resolve(changes[path]?.(bytes) ?? bytes);
  };
  return (await checkHls(read, '/v/index.m3u8', expected)).join('\n');
}

const text = (from: string | RegExp, to: string) => (bytes: Buffer) => {
  const before = bytes.toString();
  const after = before.replace(from, to);
  if (after === before) throw new Error(`The file does not contain ${String(from)}.`);
  return Buffer.from(after);
};
const file = (path: string) => () => files.get(path) ?? Buffer.alloc(0);
const MASTER = '/v/index.m3u8';
const MEDIA = '/v/360p/index.m3u8';

describe('The HLS checker', () => {
  test('The checker finds no problem in a valid asset', async () => {
    expect(await check({}, { frames: 350, durationSeconds: 14 })).toBe('');
  });

  test.each<[string, Changes, RegExp]>([
    ['a missing first line', { [MASTER]: text('#EXTM3U\n', '\n') }, /does not begin with #EXTM3U/],
    ['a byte order mark', { [MEDIA]: text('#EXTM3U', '\ufeff#EXTM3U') }, /byte order mark/],
    ['an unnecessary version', { [MEDIA]: text('VERSION:3', 'VERSION:6') }, /not of version 3/],
    [
      'a duplicate tag',
      { [MEDIA]: text('#EXT-X-ENDLIST', '#EXT-X-ENDLIST\n#EXT-X-ENDLIST') },
      /ENDLIST 2 times/,
    ],
    [
      'a URI with a space',
      { [MASTER]: text('180p/index', '180p/the index'), '/v/180p/the index.m3u8': file(MEDIA) },
      /not encoded|not exist/,
    ],
    [
      'segments that are not independent',
      { [MASTER]: text('#EXT-X-INDEPENDENT-SEGMENTS\n', '') },
      /INDEPENDENT-SEGMENTS/,
    ],
    [
      'a wrong peak bit rate',
      { [MASTER]: text(/,BANDWIDTH=\d+|:BANDWIDTH=\d+/, ':BANDWIDTH=99999999') },
      /declares BANDWIDTH=99999999/,
    ],
    [
      'a wrong average bit rate',
      { [MASTER]: text(/AVERAGE-BANDWIDTH=\d+/, 'AVERAGE-BANDWIDTH=1000') },
      /declares AVERAGE-BANDWIDTH=1000/,
    ],
    [
      'a wrong codec',
      { [MASTER]: text('avc1.64001e', 'avc1.4d001e') },
      /declares CODECS="avc1\.4d001e/,
    ],
    ['a wrong size', { [MASTER]: text('640x360', '640x362') }, /declares RESOLUTION=640x362/],
    ['a wrong frame rate', { [MASTER]: text('25.000', '24.000') }, /declares FRAME-RATE=24/],
    ['sound without a language', { [MASTER]: text('LANGUAGE="en",', '') }, /has no LANGUAGE/],
    [
      'a playlist that is not finished',
      { [MEDIA]: text('#EXT-X-ENDLIST\n', '') },
      /not a finished playlist/,
    ],
    ['a wrong duration', { [MEDIA]: text('6.000000', '5.900000') }, /EXTINF is 5\.9/],
    [
      'a target duration that is too short',
      { [MEDIA]: text('DURATION:6', 'DURATION:5') },
      /longer than the target|cannot be parsed/,
    ],
    [
      'a different target duration',
      { [MEDIA]: text('DURATION:6', 'DURATION:7') },
      /another TARGETDURATION/,
    ],
    [
      'a missing segment',
      { [MEDIA]: text('#EXTINF:6.000000,\n1.ts\n', '') },
      /from the end of the previous segment/,
    ],
    [
      'a duplicate segment',
      { '/v/360p/1.ts': file('/v/360p/0.ts') },
      /begins -12\.0000 s from|begins -6/,
    ],
    ['a segment of another rendition', { '/v/180p/1.ts': file('/v/360p/2.ts') }, /180p/],
    [
      'a truncated segment',
      { '/v/360p/1.ts': (bytes) => bytes.subarray(0, 188 * 40) },
      /orrupt|360p/,
    ],
    [
      'broken continuity counters',
      { '/v/360p/1.ts': (bytes) => Buffer.concat([bytes.subarray(0, 376), bytes]) },
      /counter/,
    ],
    [
      'a segment that does not begin with tables',
      { '/v/360p/0.ts': (bytes) => Buffer.concat([bytes.subarray(376), bytes.subarray(0, 376)]) },
      /PAT and PMT|counter/,
    ],
    [
      'a duplicate name of session data',
      { [MASTER]: text('example.storyboard', 'com.apple.hls.title') },
      /more than one EXT-X-SESSION-DATA/,
    ],
    [
      'a missing poster',
      { [MASTER]: text('com.apple.hls.title', 'example.poster') },
      /A title does not exist/,
    ],
    ['a missing storyboard', { [MASTER]: text('board.vtt', 'x.vtt') }, /x\.vtt does not/],
    [
      'a storyboard that is not WebVTT',
      { '/v/images/board.vtt': text('WEBVTT\n', '') },
      /board\.vtt is no WebVTT/,
    ],
    [
      'a storyboard without pictures',
      { '/v/images/board.vtt': text('#xywh=0,0,160,90', '') },
      /shows nothing/,
    ],
    [
      'a missing sheet',
      { '/v/images/board.vtt': text('board-0', 'board-1') },
      /board-1\.jpg does not exist/,
    ],
    ['late sound', { '/v/audio/index.m3u8': text('0.ts', '1.ts') }, /audio/],
  ])('The checker reports %s', async (_what, changes, problem) => {
    expect(await check(changes)).toMatch(problem);
  });

  test('The checker reports an unexpected number of frames or duration', async () => {
    expect(await check({}, { frames: 349 })).toMatch(/has 350 frames, not 349/);
    expect(await check({}, { durationSeconds: 13 })).toMatch(/but the source lasts 13 s/);
  });
});
