import type { Unit } from '../../core/model/units.ts';
import { area } from './geometry.ts';
import { frameSeconds } from './grid.ts';
import type { Size } from './media.ts';
import type { Plan } from './plan.ts';
import { unitCpuSeconds } from './units.ts';

/** Limits for one run of ffmpeg or ffprobe. If a run exceeds one, it ends and its source is rejected. */
export interface ProcessLimits {
  /** Address space: code, threads' stacks and data. */
  readonly addressBytes: number;
  /** CPU time of all threads together. */
  readonly cpuSeconds: number;
  /** The maximum size of a file that it writes. */
  readonly fileBytes: number;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** ffmpeg's address space without pictures: code (0.25 GiB), encoders, and 8 MiB for each of up to 200 threads. */
const ENCODER_BYTES = 3 * GIB;
/** The same for ffprobe, which has one thread. */
const PROBE_BYTES = 768 * MIB;
/** A demuxer's index of packets grows with the file, so it may be as large as the file, up to this limit. */
const MAX_INDEX_BYTES = 2 * GIB;
/** For decoded pictures: twice what 8K HEVC with HDR and tone mapping took. */
const BYTES_PER_PIXEL = 200;
/** For opening a source and reading up to its first picture. */
const MIN_CPU_SECONDS = 600;
const MIN_FILE_BYTES = 64 * MIB;

/**
 * Limits for ffprobe on a file of `sizeBytes`, with `limitSeconds` of wall-clock time. It decodes pictures up to the
 * size `picture`.
 */
export function probeLimits(
  sizeBytes: number,
  limitSeconds: number,
  picture: Size = { width: 0, height: 0 },
): ProcessLimits {
  return {
    addressBytes: PROBE_BYTES + BYTES_PER_PIXEL * area(picture) + indexBytes(sizeBytes),
    // The other half of the time limit is for waiting on a slow connection.
    cpuSeconds: Math.ceil(limitSeconds / 2),
    fileBytes: 0,
  };
}

/** Limits for ffmpeg on a unit. */
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
