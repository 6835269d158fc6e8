import { area } from './geometry.ts';
import { unitCpuSeconds } from './units.ts';
import { frameSeconds } from './grid.ts';
import type { Plan } from './plan.ts';
import type { Unit } from '../../core/model/units.ts';
import type { Size } from './media.ts';

/** What one run of ffmpeg or ffprobe may use. A run that wants more ends, and its source is rejected. */
export interface ProcessLimits {
  /** Address space: code, threads' stacks and data. */
  readonly addressBytes: number;
  /** Processor time, of all threads together. */
  readonly cpuSeconds: number;
  /** The largest file that it may write. */
  readonly fileBytes: number;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Memory that ffmpeg needs before it sees a picture: code (0.25 GiB), encoders, and 8 MiB for each of up to 200 threads. */
const ENCODER_BYTES = 3 * GIB;
/** The same for ffprobe, which has one thread. */
const PROBE_BYTES = 768 * MIB;
/** An index of packets grows with the file that holds them; a small file has no use for a large one. */
const MAX_INDEX_BYTES = 2 * GIB;
/** Pictures that are held at once: twice what 8K HEVC with HDR took, tone mapping included. */
const BYTES_PER_PIXEL = 200;
/** For opening a source, and for what lies before its first picture. */
const MIN_CPU_SECONDS = 600;
const MIN_FILE_BYTES = 64 * MIB;

/** What ffprobe may use on a file of that size, when it is given so many seconds for it and decodes pictures of that size. */
export function probeLimits(
  sizeBytes: number,
  limitSeconds: number,
  picture: Size = { width: 0, height: 0 },
): ProcessLimits {
  return {
    addressBytes: PROBE_BYTES + BYTES_PER_PIXEL * area(picture) + indexBytes(sizeBytes),
    // Half of the time on the clock: the other half is for a slow connection.
    cpuSeconds: Math.ceil(limitSeconds / 2),
    fileBytes: 0,
  };
}

/** What ffmpeg may use on a unit. */
export function unitLimits(plan: Plan, unit: Unit): ProcessLimits {
  const { media, grid, renditions } = plan;
  const pixels = media.video ? area(media.video.display) : 0;
  const largest = Math.max(0, ...renditions.map(({ maxBitRate }) => maxBitRate));
  return {
    addressBytes: ENCODER_BYTES + BYTES_PER_PIXEL * pixels + indexBytes(media.sizeBytes),
    cpuSeconds: MIN_CPU_SECONDS + Math.ceil(unitCpuSeconds(plan, unit)),
    fileBytes: MIN_FILE_BYTES + Math.ceil((largest * frameSeconds(grid, grid.segmentFrames)) / 4),
  };
}

function indexBytes(sizeBytes: number): number {
  return Math.min(sizeBytes, MAX_INDEX_BYTES);
}
