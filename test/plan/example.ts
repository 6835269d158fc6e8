import { LADDER } from '../../worker/plan/ladder.ts';
import { planAsset } from '../../worker/plan/plan.ts';
import type { Plan } from '../../worker/plan/plan.ts';
import { rational } from '../../worker/plan/rational.ts';
import type { Rational } from '../../worker/plan/rational.ts';
import type { SourceAudio, SourceVideo } from '../../worker/plan/source.ts';

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
    readonly video?: Partial<SourceVideo>;
    readonly audio?: readonly SourceAudio[];
  } = {},
): Plan {
  const {
    seconds = 10,
    startSeconds = 0,
    rate = rational(25, 1),
    video = {},
    audio = [SOUND],
  } = odd;
  return planAsset({
    jobId: 'b'.repeat(20),
    assetId: 'a'.repeat(20),
    source: { bucket: 'source', key: 'talk.mp4', etag: 'e', sizeBytes: 1000 },
    title: 'talk',
    media: {
      ...{
        demuxer: 'mov,mp4',
        late: false,
        sizeBytes: 1000,
        startSeconds,
        durationSeconds: seconds,
      },
      video: {
        ...{ index: 0, codec: 'h264', display: { width: 640, height: 360 } },
        rates: { average: rate, base: rate },
        ...{ variableFrameRate: false, fieldOrder: 'progressive', transfer: 'sdr', bitDepth: 8 },
        rgb: false,
        ...video,
      },
      audio,
    },
    ladder: LADDER,
    encoder: { preset: 'veryfast', crf: 22 },
  });
}
