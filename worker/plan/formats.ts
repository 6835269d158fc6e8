import { AAC } from './codecs/aac.ts';
import type { AudioCodec, VideoCodec } from './codecs/codec.ts';
import { X264 } from './codecs/x264.ts';
import type { Container } from './containers/container.ts';
import { MPEG_TS } from './containers/mpegts.ts';

/** What every asset is made of. */
export const VIDEO_CODEC: VideoCodec = X264;
export const AUDIO_CODEC: AudioCodec = AAC;
export const CONTAINER: Container = MPEG_TS;

export const AUDIO_FRAME_SECONDS = AUDIO_CODEC.frameSamples / AUDIO_CODEC.sampleRate;

/** A segment's name within its rendition: `00000.ts`. */
export function segmentName(index: number): string {
  return `${String(index).padStart(5, '0')}.${CONTAINER.suffix}`;
}

/** A segment's path within its version: `720p/00000.ts`. */
export function segmentPath(rendition: string, index: number): string {
  return `${rendition}/${segmentName(index)}`;
}

/** ffmpeg's pattern of the segments of one rendition, below a folder. The protocol keeps a colon of the path from being one. */
export function segmentPattern(directory: string, rendition: string): string {
  return `file:${directory.replaceAll('%', '%%')}/${rendition}/%05d.${CONTAINER.suffix}`;
}
