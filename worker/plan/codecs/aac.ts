import type { AudioCodec } from './codec.ts';

/** AAC-LC, encoded by ffmpeg's native encoder. */
export const AAC: AudioCodec = {
  encoder: ({ bitRate }) => ['-c:a', 'aac', '-b:a', String(bitRate), '-flags', '+bitexact'],
  format: 'aac',
  codecs: 'mp4a.40.2',
  sampleRate: 48_000,
  frameSamples: 1024,
};
