import { RejectedError } from '../../core/model/errors.ts';
import { area, displaySize } from './geometry.ts';
import type { Rational } from './rational.ts';
import type { Size, SourceLimits, SourceVideo } from './media.ts';

/** What a decoded frame says of itself, where headers are silent or speak for the first frame only. */
export interface SourceFrame {
  readonly coded: Size;
  readonly sampleAspect?: Rational;
  readonly interlaced: boolean;
  readonly topFieldFirst: boolean;
  /** Parts of it can be transparent. */
  readonly alpha: boolean;
}

/** So many places of a source are looked at, evenly from start to end, */
const PLACES = 16;
/** and at each so many frames, as one of a source of fields can be without them. */
const FRAMES = 4;
/** Without an index a seek lands between key frames; the next one is seldom further than this. */
const UNINDEXED_FRAMES = 300;

/**
 * Where frames are looked at: ffprobe's intervals, the first without a seek. A picture changes its
 * size at a key frame, so that the one before each place has the size that is valid there.
 */
export function framePlaces(
  { startSeconds, durationSeconds }: { startSeconds: number; durationSeconds: number },
  indexed: boolean,
): string {
  const frames = indexed ? FRAMES : UNINDEXED_FRAMES;
  return Array.from({ length: PLACES }, (_, place) => {
    const at = Math.max(0, startSeconds + (durationSeconds * place) / PLACES);
    return `${place === 0 ? '' : at.toFixed(6)}%+#${frames}`;
  }).join(',');
}

/**
 * The picture as its frames show it. The largest size counts, as recordings of calls begin small;
 * frames of another size or shape are fitted into it. Fields that only frames tell of are made into
 * whole frames where a frame says so. Throws RejectedError for a frame that is too large.
 */
export function applyFrames(
  video: SourceVideo,
  frames: readonly SourceFrame[],
  limits: SourceLimits,
): SourceVideo {
  const large = frames.find(({ coded }) => area(coded) > limits.maxPicturePixels);
  if (large) throw tooLarge(large.coded, limits);
  const sizes = frames.map((frame) => displaySize(frame.coded, frame.sampleAspect, video.turn));
  const largest = [...sizes].sort((a, b) => area(b) - area(a))[0];
  const resized = largest && sizes.some((size) => !isSame(size, largest));
  return {
    ...video,
    ...(resized ? { resized, display: even(largest) } : {}),
    ...fieldsOf(video, frames),
    // Browsers announce transparency for every recording.
    alpha: video.alpha && (frames.length === 0 || frames.some(({ alpha }) => alpha)),
  };
}

export function tooLarge(
  { width, height }: Size,
  { maxPicturePixels }: SourceLimits,
): RejectedError {
  return new RejectedError(
    'picture_too_large',
    `The picture of ${width}x${height} is too large; at most ${Math.round(maxPicturePixels / 1e6)} megapixels are taken.`,
  );
}

/** Which field is the first, frames know better than headers: ffmpeg writes MOV's and Matroska's the wrong way round. */
function fieldsOf(video: SourceVideo, frames: readonly SourceFrame[]): Partial<SourceVideo> {
  const fields = frames.filter(({ interlaced }) => interlaced);
  if (fields.length === 0) return {};
  const top = fields.filter(({ topFieldFirst }) => topFieldFirst).length;
  return {
    fieldOrder: top * 2 >= fields.length ? 'top_first' : 'bottom_first',
    fieldsFlagged: video.fieldOrder === 'progressive',
  };
}

/** Sizes of different sample aspect ratios can be the same but for their rounding. */
function isSame(one: Size, other: Size): boolean {
  return Math.abs(one.width - other.width) <= 1 && Math.abs(one.height - other.height) <= 1;
}

/** Frames are fitted into it in 4:2:0. */
function even({ width, height }: Size): Size {
  const down = (length: number) => Math.max(2, Math.floor(length / 2) * 2);
  return { width: down(width), height: down(height) };
}
