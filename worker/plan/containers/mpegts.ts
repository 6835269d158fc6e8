import type { Container } from './container.ts';
import { alignContinuityCounters, readSegment } from './transport-stream.ts';

/** MPEG-TS knows no time below zero, and pictures are decoded before they are shown: every segment of every unit is shifted. */
const OFFSET_SECONDS = 10;

export const MPEG_TS: Container = {
  suffix: 'ts',
  contentType: 'video/mp2t',
  clockRate: 90_000,
  offsetSeconds: OFFSET_SECONDS,
  muxer: (borders, first) => [
    ...['-muxdelay', '0', '-muxpreload', '0', '-output_ts_offset', String(OFFSET_SECONDS)],
    ...['-f', 'segment', '-segment_format', 'mpegts'],
    // A border that is never reached stands for none.
    ...['-segment_frames', borders.length > 0 ? borders.join(',') : String(2 ** 31 - 2)],
    ...['-segment_start_number', String(first)],
  ],
  align: alignContinuityCounters,
  read: readSegment,
};
