import { AAC } from './codecs/aac.ts';
import type { AudioCodec, VideoCodec } from './codecs/codec.ts';
import { X264 } from './codecs/x264.ts';
import type { Container } from './containers/container.ts';
import { MPEG_TS } from './containers/mpegts.ts';

/** The formats of every asset. To change a format, add its file and name it here. */
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

/**
 * The pattern of one rendition's segment files for ffmpeg. Without `file:`, a colon in the path could end a protocol
 * name.
 */
export function segmentPattern(directory: string, rendition: string): string {
  return `file:${directory.replaceAll('%', '%%')}/${rendition}/%05d.${CONTAINER.suffix}`;
}
