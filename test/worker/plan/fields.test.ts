import { describe, expect, test } from 'vitest';
import { DEMUXERS } from '../../../worker/plan/demuxers.ts';
import {
  areProgressive,
  fieldCommands,
  mayHoldFields,
  shownFields,
  motionsIn,
} from '../../../worker/plan/fields.ts';
import type { Motion } from '../../../worker/plan/fields.ts';
import type { SourceVideo } from '../../../worker/plan/media.ts';
import { rational } from '../../../worker/plan/rational.ts';
import { examplePlan } from './example.ts';

const { media } = examplePlan();
const video = media.video as SourceVideo;

describe('Field detection', () => {
  test.each([
    [576, 25, 1, true],
    [480, 30_000, 1001, true],
    [1088, 25, 1, true],
    [720, 25, 1, false],
    [288, 25, 1, false],
    [2160, 25, 1, false],
    [1080, 24, 1, false],
    [1080, 50, 1, false],
  ])(
    'Field detection for %i lines at %i/%i pictures per second is needed: %s',
    (lines, num, den, expected) => {
      const rates = { average: rational(num, den), base: rational(num, den) };
      expect(mayHoldFields({ ...video, rates }, lines)).toBe(expected);
    },
  );

  test('Field detection is skipped if a header or a frame declares fields, or if the picture changes its size', () => {
    expect(mayHoldFields({ ...video, fieldOrder: 'top_first' }, 576)).toBe(false);
    expect(mayHoldFields({ ...video, resized: true }, 576)).toBe(false);
  });

  test('Field detection reads six places, each from a key frame on', () => {
    const commands = fieldCommands({ ...media, video, durationSeconds: 60 }, '/a.mp4', 576);
    expect(commands).toHaveLength(6);
    const seek = ['-noaccurate_seek', '-seek_timestamp', '1', '-ss', '10.000000'];
    expect(commands[1]).toEqual([
      ...['-nostdin', '-hide_banner', '-loglevel', 'level+error', '-filter_threads', '1'],
      ...['-threads', '1', '-noautorotate', '-protocol_whitelist', 'file'],
      ...['-format_whitelist', DEMUXERS.join(','), ...seek, '-i', 'file:/a.mp4'],
      ...['-map', '0:0', '-frames:v', '7', '-fps_mode', 'passthrough'],
      ...['-vf', 'format=gray,scale=320:576:flags=neighbor', '-f', 'rawvideo', 'pipe:1'],
    ]);
    expect(commands[0]).not.toContain('-ss');
  });
});

describe('The motion between two pictures', () => {
  const LINES = 32;
  /** A bright square that moves to the right by 8 pixels per picture; `momentOf` is when each line was recorded. */
  const picture = (at: number, momentOf: (line: number) => number) =>
    Uint8Array.from({ length: 320 * LINES }, (_, place) => {
      const left = 20 + 8 * (at + momentOf(Math.floor(place / 320)));
      const column = place % 320;
      return column >= left && column < left + 200 ? 200 : 20;
    });
  const motions = (momentOf: (line: number) => number, speed = 1) =>
    motionsIn(
      Buffer.concat([0, 1, 2].map((at) => picture(at * speed, (line) => momentOf(line) * speed))),
      LINES,
    );

  test('The motion between two pictures shows fields, whole frames or no movement', () => {
    expect(motions((line) => (line % 2) / 2)).toEqual(['top_first', 'top_first']);
    expect(motions((line) => ((line + 1) % 2) / 2)).toEqual(['bottom_first', 'bottom_first']);
    expect(motions(() => 0)).toEqual(['whole', 'whole']);
    expect(motions((line) => (line % 2) / 2, 0)).toEqual(['still', 'still']);
  });

  test('The motion is unclear if both ways of weaving remove combs', () => {
    const flat = new Uint8Array(320 * LINES);
    const striped = flat.map((_, place) => (Math.floor(place / 320) % 4 < 2 ? 200 : 0));
    const other = flat.map((_, place) => (Math.floor(place / 320) % 4 === 0 ? 200 : 0));
    expect(motionsIn(Buffer.concat([flat, other]), LINES)).toEqual(['unclear']);
    expect(motionsIn(Buffer.concat([other, other]), LINES)).toEqual(['still']);
    expect(motionsIn(Buffer.concat([flat, striped]), LINES)).toEqual(['whole']);
  });

  test('A place with a single complete picture shows no motions', () => {
    expect(motionsIn(new Uint8Array(320 * LINES * 1.5), LINES)).toEqual([]);
  });
});

describe('Motions', () => {
  const times = (count: number, step: Motion) => Array.from({ length: count }, () => step);

  test('Motions that mostly show fields of one order detect fields, however many are still', () => {
    const still = times(30, 'still');
    expect(shownFields([...still, ...times(4, 'top_first')])).toEqual({
      ...{ fieldOrder: 'top_first', fieldsFlagged: false },
    });
    expect(shownFields([...times(5, 'bottom_first'), ...times(5, 'whole')])).toEqual({
      ...{ fieldOrder: 'bottom_first', fieldsFlagged: false },
    });
  });

  test.each([
    ['few', times(3, 'top_first')],
    ['mostly whole frames', [...times(12, 'top_first'), ...times(24, 'whole')]],
    ['of both orders', [...times(12, 'top_first'), ...times(2, 'bottom_first')]],
    ['none', []],
  ])('Motions that are %s do not show fields', (_, motions) => {
    expect(shownFields(motions)).toBeUndefined();
  });

  test('Four places of whole frames are enough to rule out fields, and places without movement are not', () => {
    expect(areProgressive(times(18, 'whole'), 3)).toBe(false);
    expect(areProgressive(times(24, 'whole'), 2)).toBe(true);
    expect(areProgressive(times(30, 'still'), 1)).toBe(false);
  });
});
