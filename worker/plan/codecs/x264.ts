import type { VideoCodec } from './codec.ts';

/** H.264 by x264, whose tolerance was measured on noise from 90p to 360p and from 10 to 50 frames/s. */
export const X264: VideoCodec = {
  encoder: ({ encoder, grid }, { maxBitRate, bufferBits }) => [
    ...['-c:v', 'libx264', '-preset', encoder.preset, '-crf', String(encoder.crf)],
    ...['-maxrate', String(maxBitRate), '-bufsize', String(bufferBits), '-profile:v', 'high'],
    // No key frame but the grid's: every rendition must cut at the same frame, or switching stalls.
    ...['-g', String(grid.gopFrames), '-keyint_min', String(grid.gopFrames)],
    ...['-sc_threshold', '0', '-flags', '+cgop+bitexact'],
    // With a rate limit, x264's output depends on the timing of its threads. One thread for each
    // rendition keeps a unit's bytes the same on every run; other cores are for other units.
    ...['-x264-params', 'threads=1:lookahead-threads=1:sync-lookahead=10'],
  ],
  format: 'h264',
  // x264 declares the simplest profile that its settings need: Baseline at its fastest, High at most.
  codecs: /^avc1\.(42|4d|64)/i,
  longestSide: 16_384,
  // Up to 3 % with `veryfast` and `medium`, up to 32 % with `ultrafast`.
  rateTolerance: 0.5,
};
