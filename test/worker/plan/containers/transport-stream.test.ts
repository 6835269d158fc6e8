import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  alignContinuityCounters,
  readSegment,
} from '../../../../worker/plan/containers/transport-stream.ts';

let directory: string;
let video: readonly Buffer[];
let audio: readonly Buffer[];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vodstack-ts-'));
  video = segmentsBy('v', ['-i', 'testsrc2=s=320x240:r=25:d=6', '-c:v', 'libx264', '-g', '50']);
  audio = segmentsBy('a', ['-i', 'sine=440:d=6:r=48000', '-c:a', 'aac']);
});
afterAll(() => rmSync(directory, { recursive: true }));

function segmentsBy(name: string, argv: readonly string[]): readonly Buffer[] {
  const mux = ['-f', 'segment', '-segment_time', '2', '-segment_format', 'mpegts'];
  const out = join(directory, `${name}-%d.ts`);
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', ...argv, ...mux, out]);
  const names = readdirSync(directory).filter((file) => file.startsWith(`${name}-`));
  return names.sort().map((file) => readFileSync(join(directory, file)));
}

function pidsOf(bytes: Uint8Array) {
  return Array.from({ length: bytes.length / 188 }, (_, index) => {
    const packet = bytes.subarray(index * 188);
    const payload = ((packet[3] ?? 0) & 0x10) !== 0;
    return {
      pid: (((packet[1] ?? 0) & 0x1f) << 8) | (packet[2] ?? 0),
      counter: (packet[3] ?? 0) & 15,
      payload,
    };
  });
}

/** The elementary stream as ffmpeg takes it out. */
function elementary(bytes: Uint8Array, kind: 'h264' | 'adts'): Buffer {
  const path = join(directory, 'one.ts');
  writeFileSync(path, bytes);
  return execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-c', 'copy', '-f', kind, '-'], {
    maxBuffer: 2 ** 26,
  });
}

describe('Parsing segments', () => {
  test('A video segment is parsed into frames with times, key frames and the codec', () => {
    const segment = readSegment(video[1] ?? Buffer.alloc(0));
    if (segment.kind !== 'video') throw new Error('The segment is not video.');
    const { sequence, pictures } = segment;
    expect(sequence.codecs).toMatch(/^avc1\.[0-9a-f]{6}$/);
    expect(sequence.size).toEqual({ width: 320, height: 240 });
    expect(pictures.map(({ key }) => key)).toEqual(pictures.map((_, index) => index === 0));
    const first = pictures[0]?.pts ?? 0;
    // The display order in the slice headers must agree with the timestamps.
    const round = 2 ** (sequence.orderBits ?? 0);
    expect(pictures.map(({ order }) => order)).toEqual(
      pictures.map(({ pts }) => (((pts - first) / 3600) * 2) % round),
    );
    const shown = pictures.map(({ pts }) => pts).sort((a, b) => a - b);
    expect(shown).toEqual(Array.from({ length: 50 }, (_, index) => first + index * 3600));
    const decoded = pictures.map(({ dts }) => dts);
    expect(decoded).toEqual([...decoded].sort((a, b) => a - b));
  });

  test('An audio segment is parsed into AAC frames with times', () => {
    const segment = readSegment(audio[0] ?? Buffer.alloc(0));
    if (segment.kind !== 'audio') throw new Error('The segment is not audio.');
    expect(segment).toMatchObject({ codecs: 'mp4a.40.2', sampleRate: 48_000, channels: 1 });
    const times = segment.frames.map(({ pts }) => pts);
    expect(times).toEqual(times.map((_, index) => (times[0] ?? 0) + index * 1920));
    expect(times.length * 1024).toBeGreaterThan(48_000 * 1.9);
  });

  test.each([
    ['nothing', Buffer.alloc(0), /is incomplete/],
    ['half a packet', Buffer.alloc(100), /is incomplete/],
    ['something else', Buffer.alloc(188), /does not begin with 0x47/],
    [
      'packets without tables',
      Buffer.alloc(188, Buffer.from([0x47, 0x1f, 0xff, 0x10])),
      /0x47|no table/,
    ],
  ])('A segment that is %s is refused', (_what, bytes, sentence) => {
    expect(() => readSegment(bytes)).toThrow(sentence);
  });

  test('A segment that lacks a packet in its middle is refused', () => {
    const whole = video[1] ?? Buffer.alloc(0);
    const middle = 188 * Math.floor(whole.length / 188 / 2);
    const bytes = Buffer.concat([whole.subarray(0, middle), whole.subarray(middle + 188)]);
    expect(() => readSegment(bytes)).toThrow(/lacks packets of PID/);
    expect(() => alignContinuityCounters(bytes)).toThrow(/lacks packets of PID/);
  });
});

describe('Aligning segments', () => {
  const all = () =>
    [...video, ...audio].map((bytes) => [bytes, alignContinuityCounters(bytes)] as const);

  test('An aligned segment begins with PAT and PMT, has no SDT, and has a multiple of 16 packets of each PID', () => {
    for (const [, joined] of all()) {
      const packets = pidsOf(joined);
      expect(packets[0]?.pid).toBe(0);
      expect(packets[1]?.pid).toBe(0x1000);
      const counts = new Map<number, number>();
      for (const { pid, counter, payload } of packets) {
        expect(pid).not.toBe(0x11);
        if (!payload) continue;
        expect(counter).toBe((counts.get(pid) ?? 0) % 16);
        counts.set(pid, (counts.get(pid) ?? 0) + 1);
      }
      for (const count of counts.values()) expect(count % 16).toBe(0);
    }
  });

  test('An aligned segment contains the same bytes of the stream at the same times', () => {
    for (const [bytes, joined] of all()) {
      const kind = readSegment(bytes).kind === 'video' ? 'h264' : 'adts';
      expect(elementary(joined, kind).equals(elementary(bytes, kind))).toBe(true);
      expect({ ...readSegment(joined), bytes: 0 }).toEqual({ ...readSegment(bytes), bytes: 0 });
    }
  });

  test('Aligning a segment again does not change it', () => {
    for (const [, joined] of all()) {
      expect(Buffer.from(alignContinuityCounters(joined)).equals(Buffer.from(joined))).toBe(true);
    }
  });

  test('A demuxer finds no break of the counters between aligned segments', () => {
    const path = join(directory, 'joined.ts');
    const continuity = (parts: readonly Uint8Array[]) => {
      writeFileSync(path, Buffer.concat(parts));
      const argv = ['-v', 'debug', '-i', path, '-c', 'copy', '-f', 'null', '-'];
      return execFileSync('sh', ['-c', 'exec ffmpeg "$@" 2>&1', 'sh', ...argv], {
        maxBuffer: 2 ** 26,
      }).includes('Continuity check failed');
    };
    expect(continuity(video)).toBe(true);
    expect(continuity(video.map((bytes) => alignContinuityCounters(bytes)))).toBe(false);
  });
});
