import type { VideoCodec } from './codec.ts';

/** H.264, encoded by x264. */
export const X264: VideoCodec = {
  encoder: ({ encoder, grid }, { maxBitRate, bufferBits }) => [
    ...['-c:v', 'libx264', '-preset', encoder.preset, '-crf', String(encoder.crf)],
    ...['-maxrate', String(maxBitRate), '-bufsize', String(bufferBits), '-profile:v', 'high'],
    // Key frames only where the grid has them: renditions that cut at different frames make players stall at a switch.
    ...['-g', String(grid.gopFrames), '-keyint_min', String(grid.gopFrames)],
    ...['-sc_threshold', '0', '-flags', '+cgop+bitexact'],
    // With a rate limit, x264's output depends on the timing of its threads. One thread for each rendition makes the
    // output reproducible; other units use the other cores.
    ...['-x264-params', 'threads=1:lookahead-threads=1:sync-lookahead=10'],
  ],
  format: 'h264',
  // x264 declares the lowest profile that its settings need: Baseline with `ultrafast`, High at most.
  codecs: /^avc1\.(42|4d|64)/i,
  longestSide: 16_384,
  // Measured on noise from 90p to 360p at 10 to 50 frames/s: up to 3 % with `veryfast` and `medium`, 32 % with
  // `ultrafast`.
  rateTolerance: 0.5,
};
