import { LADDER } from '../../../core/model/ladder.ts';
import type { Size, SourceAudio, SourceVideo } from '../../../worker/plan/media.ts';
import { planAsset } from '../../../worker/plan/plan-asset.ts';
import type { Plan } from '../../../worker/plan/plan.ts';
import { rational } from '../../../worker/plan/rational.ts';
import type { Rational } from '../../../worker/plan/rational.ts';

const SOUND: SourceAudio = {
  ...{ streams: [{ index: 1, channels: 2 }], codec: 'aac', channels: 2, sampleRate: 44_100 },
  ...{ language: 'und', default: true },
};

/** The plan of an ordinary source; what is odd about it is said where it is made. */
export function examplePlan(
  odd: {
    readonly seconds?: number;
    readonly startSeconds?: number;
    readonly rate?: Rational;
    /** Undefined leaves the sound alone. */
    readonly video?: Partial<SourceVideo> | undefined;
    readonly cover?: Size;
    readonly audio?: readonly SourceAudio[];
  } = {},
): Plan {
  const { seconds = 10, startSeconds = 0, rate = rational(25, 1), audio = [SOUND] } = odd;
  const video: SourceVideo = {
    ...{ index: 0, codec: 'h264', display: { width: 640, height: 360 }, turn: 'none' },
    rates: { average: rate, base: rate },
    ...{ variableFrameRate: false, fieldOrder: 'progressive', transfer: 'sdr', bitDepth: 8 },
    ...{ rgb: false, fieldsFlagged: false, resized: false },
    alpha: false,
    ...odd.video,
  };
  const alone = 'video' in odd && odd.video === undefined;
  return planAsset({
    jobId: 'b'.repeat(20),
    assetId: 'a'.repeat(20),
    source: { bucket: 'source', key: 'talk.mp4', etag: 'e', sizeBytes: 1000 },
    title: 'talk',
    media: {
      ...{
        demuxer: 'mov,mp4',
        opening: { late: false, ignoreEdits: false },
        sizeBytes: 1000,
        startSeconds,
        durationSeconds: seconds,
      },
      ...(alone ? {} : { video }),
      ...(odd.cover ? { cover: { ...video, index: 2, codec: 'mjpeg', display: odd.cover } } : {}),
      audio,
      leftOut: [],
    },
    ladder: LADDER,
    encoder: { preset: 'veryfast', crf: 22 },
  });
}
