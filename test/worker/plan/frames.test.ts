import { expect, describe, test } from 'vitest';
import { RejectedError } from '../../../core/model/errors.ts';
import { hasIndex } from '../../../worker/plan/demuxers.ts';
import { sampleIntervals, applyFrames } from '../../../worker/plan/frames.ts';
import type { SourceFrame } from '../../../worker/plan/frames.ts';
import type { SourceVideo } from '../../../worker/plan/media.ts';
import { frameFilters } from '../../../worker/plan/picture.ts';
import { rational } from '../../../worker/plan/rational.ts';
import { examplePlan } from './example.ts';

const limits = { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 1e6 };

const frame = (width: number, height: number, odd: Partial<SourceFrame> = {}): SourceFrame => ({
  ...{ coded: { width, height }, interlaced: false, topFieldFirst: false, alpha: false },
  ...odd,
});

/** A picture whose header declares 640x360, corrected by these frames. */
function seen(frames: readonly SourceFrame[], odd: Partial<SourceVideo> = {}): SourceVideo {
  const { video } = examplePlan().media;
  if (!video) throw new Error('The plan has no picture.');
  return applyFrames({ ...video, ...odd }, frames, limits);
}

describe('Sampled frames', () => {
  test('A picture whose frames are all alike is as its header declares', () => {
    const header = seen([]);
    expect(seen([frame(640, 360), frame(640, 360)])).toEqual(header);
    // A sample aspect ratio in the header alone does not make the frames differ.
    expect(seen([frame(720, 480, { sampleAspect: rational(32, 27) })])).toMatchObject({
      resized: false,
    });
  });

  test('A picture whose frames grow has the largest of their sizes', () => {
    const grown = seen([frame(160, 90), frame(640, 360), frame(320, 180)]);
    expect(grown).toMatchObject({ resized: true, display: { width: 640, height: 360 } });
    expect(frameFilters(grown)).toEqual([
      'scale=w=round(min(640\\,360*dar)/2)*2:h=round(min(360\\,640/dar)/2)*2:eval=frame:flags=bicubic',
      'setsar=1',
      'pad=640:360:(ow-iw)/2:(oh-ih)/2:eval=frame',
    ]);
  });

  test('Frames that turn to portrait are fitted into the larger size, with even sides', () => {
    expect(seen([frame(639, 361), frame(360, 640)])).toMatchObject({
      ...{ resized: true, display: { width: 638, height: 360 } },
    });
  });

  test('Frames that change only their sample aspect ratio count as resized', () => {
    const wide = { sampleAspect: rational(64, 45) };
    expect(seen([frame(720, 576), frame(720, 576, wide)])).toMatchObject({
      ...{ resized: true, display: { width: 1024, height: 576 } },
    });
  });

  test('Sideways frames that grow are fitted before they are turned', () => {
    const turned = seen([frame(320, 180), frame(640, 360)], { turn: 'clock' });
    expect(turned.display).toEqual({ width: 360, height: 640 });
    expect(frameFilters(turned).slice(2)).toEqual([
      ...['pad=640:360:(ow-iw)/2:(oh-ih)/2:eval=frame', 'transpose=clock'],
    ]);
  });

  test('Interlaced frames that grow keep the lines of their fields apart', () => {
    const frames = [frame(320, 180, { interlaced: true }), frame(640, 360, { interlaced: true })];
    expect(frameFilters(seen(frames)).join(',')).toMatch(
      /:interl=1,setsar=1,pad=640:360:\(ow-iw\)\/2:trunc\(\(oh-ih\)\/8\)\*4:eval=frame,bwdif=/,
    );
  });

  test('A picture has transparency only if both its header and a frame declare it', () => {
    expect(seen([frame(640, 360)], { alpha: true }).alpha).toBe(false);
    expect(seen([frame(640, 360, { alpha: true })], { alpha: true }).alpha).toBe(true);
    expect(seen([frame(640, 360, { alpha: true })]).alpha).toBe(false);
    expect(seen([], { alpha: true }).alpha).toBe(true);
  });

  test('A picture with a frame that is too large is rejected', () => {
    expect(() => seen([frame(640, 360), frame(2000, 1000)])).toThrow(RejectedError);
  });

  test('Only frames that are flagged as interlaced are deinterlaced if the header declares no fields', () => {
    const bottom = frame(640, 360, { interlaced: true });
    const top = frame(640, 360, { interlaced: true, topFieldFirst: true });
    expect(seen([bottom, bottom])).toMatchObject({
      ...{ fieldOrder: 'bottom_first', fieldsFlagged: true },
    });
    const mixed = seen([frame(640, 360), top, frame(640, 360), bottom, top]);
    expect(frameFilters(mixed)).toEqual([
      ...['scale=interl=1', 'bwdif=mode=send_frame:parity=tff:deint=interlaced'],
    ]);
  });

  test('The field order of the frames overrides that of the header', () => {
    const frames = [frame(640, 360, { interlaced: true })];
    const video = seen(frames, { fieldOrder: 'top_first' });
    expect(video).toMatchObject({ fieldOrder: 'bottom_first', fieldsFlagged: false });
  });

  test('The field order of the header counts if no frame is flagged as interlaced', () => {
    const video = seen([frame(640, 360)], { fieldOrder: 'top_first' });
    expect(video).toMatchObject({ fieldOrder: 'top_first', fieldsFlagged: false });
  });
});

test('Frames are sampled at the start and at fifteen further places', () => {
  const places = sampleIntervals({ startSeconds: 1.5, durationSeconds: 32 }, true).split(',');
  expect(places).toHaveLength(16);
  expect(places.slice(0, 3)).toEqual(['%+#4', '3.500000%+#4', '5.500000%+#4']);
  expect(sampleIntervals({ startSeconds: 0, durationSeconds: 32 }, false)).toMatch(/^%\+#300,2\.0/);
});

test('MPEG transport and program streams have no index, unlike MP4 and Matroska', () => {
  expect(['mpegts', 'mpeg'].some(hasIndex)).toBe(false);
  expect(['mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm', 'mpegvideo'].every(hasIndex)).toBe(true);
});
