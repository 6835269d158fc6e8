import { RejectedError } from '../../core/model/errors.ts';
import { area, displaySize } from './geometry.ts';
import type { Size, SourceLimits, SourceVideo } from './media.ts';
import type { Rational } from './rational.ts';

/** Properties of a decoded frame. Headers omit them or describe only the first frame. */
export interface SourceFrame {
  readonly coded: Size;
  readonly sampleAspect?: Rational;
  readonly interlaced: boolean;
  readonly topFieldFirst: boolean;
  /** Parts of the frame can be transparent. */
  readonly alpha: boolean;
}

/** Frames are sampled at this many places, evenly from start to end, */
const PLACES = 16;
/** and this many at each, as single frames of an interlaced source can be progressive. */
const FRAMES = 4;
/** Without an index a seek lands between key frames. The next one is seldom further than this. */
const UNINDEXED_FRAMES = 300;

/**
 * The places where frames are sampled, as ffprobe's intervals; the first one does not seek. A picture changes its size
 * at a key frame only, so the key frame before a place has the size that is valid there.
 */
export function sampleIntervals(
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
 * Corrects a picture by its decoded frames. The largest size counts, as recordings of calls begin small; frames of
 * another size or shape are fitted into it. If only frames declare fields, just those frames are deinterlaced. Throws
 * RejectedError if a frame is too large.
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

/** Frames declare the field order more reliably than headers: ffmpeg writes a reversed order into MOV and Matroska. */
function fieldsOf(video: SourceVideo, frames: readonly SourceFrame[]): Partial<SourceVideo> {
  const fields = frames.filter(({ interlaced }) => interlaced);
  if (fields.length === 0) return {};
  const top = fields.filter(({ topFieldFirst }) => topFieldFirst).length;
  return {
    fieldOrder: top * 2 >= fields.length ? 'top_first' : 'bottom_first',
    fieldsFlagged: video.fieldOrder === 'progressive',
  };
}

/** Equal sizes can differ by rounding if their sample aspect ratios differ. */
function isSame(one: Size, other: Size): boolean {
  return Math.abs(one.width - other.width) <= 1 && Math.abs(one.height - other.height) <= 1;
}

/** 4:2:0 requires even sides. */
function even({ width, height }: Size): Size {
  const down = (length: number) => Math.max(2, Math.floor(length / 2) * 2);
  return { width: down(width), height: down(height) };
}
