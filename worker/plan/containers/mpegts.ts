import type { Container } from './container.ts';
import { alignContinuityCounters, readSegment } from './transport-stream.ts';

/** MPEG-TS has no negative timestamps, but the first decoding times lie before zero. All segments are shifted alike. */
const OFFSET_SECONDS = 10;

export const MPEG_TS: Container = {
  suffix: 'ts',
  contentType: 'video/mp2t',
  clockRate: 90_000,
  offsetSeconds: OFFSET_SECONDS,
  muxer: (borders, first) => [
    ...['-muxdelay', '0', '-muxpreload', '0', '-output_ts_offset', String(OFFSET_SECONDS)],
    ...['-f', 'segment', '-segment_format', 'mpegts'],
    // An empty list is not allowed, so a single segment gets a border that is never reached.
    ...['-segment_frames', borders.length > 0 ? borders.join(',') : String(2 ** 31 - 2)],
    ...['-segment_start_number', String(first)],
  ],
  align: alignContinuityCounters,
  read: readSegment,
};
