import { describe, expect, test } from 'vitest';
import { parseAsset, parseAssetEvent } from '../../../core/model/asset.ts';
import { deliveryHeaders, jobKeys, pointerKey, versionKey } from '../../../core/model/keys.ts';
import { withTitle } from '../../../core/model/session-data.ts';
import { parseMarker } from '../../../core/model/units.ts';
import type { Marker } from '../../../core/model/units.ts';
import { describeAsset } from '../../../worker/plan/describe-asset.ts';
import { CONTAINER, segmentPath } from '../../../worker/plan/formats.ts';
import { parsePlan, planVersion } from '../../../worker/plan/plan.ts';
import {
  measure,
  measureBitRate,
  mediaPlaylist,
  multivariantPlaylist,
} from '../../../worker/plan/playlist.ts';
import { examplePlan } from './example.ts';

const plan = examplePlan({ seconds: 14 });
const MD5 = '0123456789abcdef'.repeat(2);
const segments = (bytes: readonly number[]) =>
  [6, 6, 2].map((durationSeconds, index) => ({
    ...{ durationSeconds, bytes: bytes[index] ?? 0, md5: MD5 },
    frames: durationSeconds * 25,
  }));
const markers: readonly Marker[] = [
  {
    ...{ kind: 'images', unit: 'images', version: 'v', elapsedSeconds: 1 },
    files: [{ name: 'poster.jpg', bytes: 1000, md5: MD5 }],
  },
  {
    ...{ kind: 'audio', unit: 'audio-0', version: 'v', elapsedSeconds: 1, codecs: 'mp4a.40.2' },
    segments: segments([96_000, 96_000, 32_000]).map(({ frames: _, ...facts }) => facts),
  },
  {
    ...{ kind: 'video', unit: 'video-00000', version: 'v', elapsedSeconds: 5 },
    renditions: [
      { name: '360p', codecs: 'avc1.64001e', segments: segments([600_000, 750_000, 100_000]) },
      { name: '234p', codecs: 'avc1.64000d', segments: segments([150_000, 150_000, 50_000]) },
    ],
  },
];

describe('Playlists', () => {
  const measured = measure(plan, markers);

  test('A media playlist lists the segments of its rendition', () => {
    expect(mediaPlaylist(plan, measured.video[0]?.segments ?? [])).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:3',
        '#EXT-X-TARGETDURATION:6',
        '#EXT-X-MEDIA-SEQUENCE:0',
        '#EXT-X-PLAYLIST-TYPE:VOD',
        '#EXTINF:6.000000,',
        '00000.ts',
        '#EXTINF:6.000000,',
        '00001.ts',
        '#EXTINF:2.000000,',
        '00002.ts',
        '#EXT-X-ENDLIST',
        '',
      ].join('\n'),
    );
  });

  test('The multivariant playlist contains the measured bit rates, with the preferred variant first', () => {
    expect(multivariantPlaylist(plan, '0123456789abcdef', measured)).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:3',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        '#EXT-X-SESSION-DATA:DATA-ID="com.apple.hls.title",VALUE="talk"',
        '#EXT-X-SESSION-DATA:DATA-ID="org.vodstack.poster",VALUE="0123456789abcdef/images/poster.jpg"',
        '#EXT-X-SESSION-DATA:DATA-ID="org.vodstack.storyboard",VALUE="0123456789abcdef/images/storyboard.vtt"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="0123456789abcdef/audio-0/index.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1128000,AVERAGE-BANDWIDTH=956572,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="audio"',
        '0123456789abcdef/360p/index.m3u8',
        '#EXT-X-STREAM-INF:BANDWIDTH=328000,AVERAGE-BANDWIDTH=328000,CODECS="avc1.64000d,mp4a.40.2",RESOLUTION=416x234,FRAME-RATE=25.000,AUDIO="audio"',
        '0123456789abcdef/234p/index.m3u8',
        '',
      ].join('\n'),
    );
  });

  test('A new title changes only its own line of the multivariant playlist', () => {
    const playlist = multivariantPlaylist(plan, 'v', measure(plan, markers));
    const other = { ...plan, title: 'Another "$&"' };
    expect(withTitle(playlist, other.title)).toBe(
      multivariantPlaylist(other, 'v', measure(other, markers)),
    );
  });

  test('The multivariant playlist replaces quotes in the title, and has no storyboard for an audio-only asset', () => {
    const { storyboard: _, ...images } = plan.images;
    const song = { ...plan, images, title: 'The "real" #2, 4' };
    const lines = multivariantPlaylist(song, 'v', measured).split('\n');
    expect(lines.filter((line) => line.startsWith('#EXT-X-SESSION-DATA'))).toEqual([
      '#EXT-X-SESSION-DATA:DATA-ID="com.apple.hls.title",VALUE="The ”real” #2, 4"',
      '#EXT-X-SESSION-DATA:DATA-ID="org.vodstack.poster",VALUE="v/images/poster.jpg"',
    ]);
  });

  test('Markers that are missing or do not fit are refused', () => {
    expect(() => measure(plan, markers.slice(0, 2))).toThrow('Unit video-00000 of job');
    const short = markers.map((marker) =>
      marker.kind === 'audio' ? { ...marker, segments: marker.segments.slice(1) } : marker,
    );
    expect(() => measure(plan, short)).toThrow('audio-0 of job');
  });
});

describe('Peak bit rates', () => {
  const at = (durationSeconds: number, bytes: number) => ({ durationSeconds, bytes });

  test.each([
    ['of one segment is its bit rate', [at(6, 6000)], 8000],
    ['is that of the heaviest segment', [at(6, 6000), at(6, 12_000), at(6, 6000)], 16_000],
    ['ignores runs of less than half the target duration', [at(6, 6000), at(2, 6000)], 12_000],
    ['includes runs of half the target duration', [at(6, 6000), at(3, 6000)], 16_000],
    ['of an asset shorter than that is its average', [at(1, 1000)], 8000],
  ])('The peak bit rate %s', (_what, list, peak) => {
    expect(measureBitRate(list, 6).peak).toBe(peak);
  });
});

describe('Stored documents', () => {
  test('Plans, markers, asset documents and events are read back as they were written', () => {
    expect(parsePlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
    for (const marker of markers)
      expect(parseMarker(JSON.parse(JSON.stringify(marker)))).toEqual(marker);
    const document = describeAsset(plan, planVersion(plan), measure(plan, markers), markers);
    expect(parseAsset(JSON.parse(JSON.stringify(document)))).toEqual(document);
    const ready = { type: 'asset.ready', jobId: 'j', title: 'talk', spentSeconds: 7, ...document };
    expect(parseAssetEvent(JSON.parse(JSON.stringify(ready)))).toEqual(ready);
  });

  test('The error about an invalid plan names every invalid field', () => {
    const broken = { ...plan, title: 7, durationSeconds: -1 };
    expect(() => parsePlan(broken)).toThrow(/title[^]*durationSeconds|durationSeconds[^]*title/);
    expect(() => parseMarker({ kind: 'song' })).toThrow();
  });

  test('The asset document contains the exact number of bytes', () => {
    const document = describeAsset(plan, 'v', measure(plan, markers), markers);
    expect(document.bytes).toBe(1000 + 224_000 + 1_450_000 + 350_000);
    expect(document.poster).toBe(`v/${plan.assetId}/v/images/poster.jpg`);
  });

  test('The asset document lists the streams that were left out, and an older one without the list is readable', () => {
    const leftOut = [{ stream: 2, what: 'data', reason: 'not_shown_or_heard' }] as const;
    const odd = { ...plan, leftOut };
    const { leftOut: said, ...before } = describeAsset(odd, 'v', measure(odd, markers), markers);
    expect(said).toEqual(leftOut);
    expect(parseAsset({ ...before, leftOut: said })).toMatchObject({ leftOut });
    expect(parseAsset(before)).toMatchObject({ leftOut: [] });
  });
});

describe('Versions', () => {
  test('The version depends on the published files, and not on the title or the job', () => {
    const version = planVersion(plan);
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    expect(planVersion({ ...plan, jobId: 'another' })).toBe(version);
    expect(planVersion(parsePlan(JSON.parse(JSON.stringify(plan))))).toBe(version);
    expect(planVersion({ ...plan, title: 'another' })).toBe(version);
    expect(planVersion({ ...plan, encoder: { ...plan.encoder, crf: 23 } })).not.toBe(version);
  });
});

describe('Keys', () => {
  test.each([
    [pointerKey('a'), 'v/a/index.m3u8', 'application/vnd.apple.mpegurl', 'public, max-age=10'],
    [
      versionKey('a', 'b', '720p/index.m3u8'),
      'v/a/b/720p/index.m3u8',
      'application/vnd.apple.mpegurl',
      'public, max-age=31536000, immutable',
    ],
    [
      versionKey('a', 'b', 'images/poster.jpg'),
      'v/a/b/images/poster.jpg',
      'image/jpeg',
      'public, max-age=31536000, immutable',
    ],
    [
      versionKey('a', 'b', 'images/storyboard.vtt'),
      'v/a/b/images/storyboard.vtt',
      'text/vtt; charset=utf-8',
      'public, max-age=31536000, immutable',
    ],
    [
      versionKey('a', 'b', 'asset.json'),
      'v/a/b/asset.json',
      'application/json',
      'public, max-age=31536000, immutable',
    ],
  ])('%s has its content type and cache rule', (key, expected, contentType, cacheControl) => {
    expect(key).toBe(expected);
    expect(deliveryHeaders(key)).toEqual({ contentType, cacheControl });
  });

  test('A segment has the content type of its container', () => {
    const key = versionKey('a', 'b', segmentPath('720p', 0));
    expect(key).toBe('v/a/b/720p/00000.ts');
    expect(deliveryHeaders(key, CONTAINER.contentType)).toEqual({
      contentType: 'video/mp2t',
      cacheControl: 'public, max-age=31536000, immutable',
    });
  });

  test('A key of an unknown file type is refused', () => {
    expect(() => deliveryHeaders('v/a/b/x.mp4')).toThrow('v/a/b/x.mp4 is not a file type');
  });

  test("The key of a marker is below its job's prefix", () => {
    const keys = jobKeys('j');
    expect(keys.marker('images')).toBe('jobs/j/done/images.json');
    expect(keys.marker('images').startsWith(keys.done)).toBe(true);
  });
});
