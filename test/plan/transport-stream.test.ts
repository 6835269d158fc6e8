import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinable, readSegment } from '../../worker/plan/transport-stream.ts';

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

describe('A segment', () => {
  test('of pictures is read: frames, times, key frame, codec.', () => {
    const segment = readSegment(video[1] ?? Buffer.alloc(0));
    expect(segment).toMatchObject({ kind: 'video', frames: 50, startsWithKey: true });
    expect(segment.codecs).toMatch(/^avc1\.[0-9a-f]{6}$/);
    const sorted = [...segment.timestamps].sort((a, b) => a - b);
    expect(new Set(sorted.slice(1).map((pts, index) => pts - (sorted[index] ?? 0)))).toEqual(
      new Set([3600]),
    );
  });

  test('of sound is read: AAC frames and their times.', () => {
    const segment = readSegment(audio[0] ?? Buffer.alloc(0));
    expect(segment).toMatchObject({ kind: 'audio', codecs: 'mp4a.40.2', startsWithKey: true });
    expect(segment.frames * 1024).toBeGreaterThan(48_000 * 1.9);
  });

  test.each([
    ['nothing', Buffer.alloc(0), /is not whole/],
    ['half a packet', Buffer.alloc(100), /is not whole/],
    ['something else', Buffer.alloc(188), /does not begin with 0x47/],
    [
      'packets without tables',
      Buffer.alloc(188, Buffer.from([0x47, 0x1f, 0xff, 0x10])),
      /0x47|no table/,
    ],
  ])('that is %s is refused.', (_what, bytes, sentence) => {
    expect(() => readSegment(bytes)).toThrow(sentence);
  });
});

describe('A joinable segment', () => {
  const all = () => [...video, ...audio].map((bytes) => [bytes, joinable(bytes)] as const);

  test('begins with PAT and PMT, has no SDT, and a multiple of 16 packets of each PID.', () => {
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

  test('holds the same stream to the byte, at the same times.', () => {
    for (const [bytes, joined] of all()) {
      const kind = readSegment(bytes).kind === 'video' ? 'h264' : 'adts';
      expect(elementary(joined, kind).equals(elementary(bytes, kind))).toBe(true);
      expect(readSegment(joined).timestamps).toEqual(readSegment(bytes).timestamps);
    }
  });

  test('is not changed by being made joinable again.', () => {
    for (const [, joined] of all()) {
      expect(Buffer.from(joinable(joined)).equals(Buffer.from(joined))).toBe(true);
    }
  });

  test('follows another without a break of a counter, as a demuxer sees it.', () => {
    const path = join(directory, 'joined.ts');
    const continuity = (parts: readonly Uint8Array[]) => {
      writeFileSync(path, Buffer.concat(parts));
      const argv = ['-v', 'debug', '-i', path, '-c', 'copy', '-f', 'null', '-'];
      return execFileSync('sh', ['-c', 'exec ffmpeg "$@" 2>&1', 'sh', ...argv], {
        maxBuffer: 2 ** 26,
      }).includes('Continuity check failed');
    };
    expect(continuity(video)).toBe(true);
    expect(continuity(video.map((bytes) => joinable(bytes)))).toBe(false);
  });
});
