/**
 * The containers that ffmpeg may open. Formats that refer to other files or addresses (hls, dash, concat, sdp …) are
 * excluded on purpose, as an upload must not make the worker read those; so are still images.
 */
// prettier-ignore
export const DEMUXERS = [
  'mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm', 'mpegts', 'mpeg', 'mpegvideo', 'avi', 'flv',
  'asf', 'wtv', 'nut', 'dhav', 'yuv4mpegpipe', 'gif', 'apng', 'ogg', 'mxf', 'wav', 'mp3', 'aac',
  'flac', 'm4v', 'h264', 'hevc', 'dv', 'gxf', 'rm', 'ivf',
  'amr', 'aiff', 'ac3', 'eac3', 'dts', 'w64', 'caf', 'au', 'wv', 'ape',
] as const;

/** False for containers that must be read to the end to find all streams and clock resets. */
export function hasIndex(demuxer: string): boolean {
  return !/^mpeg(ts)?$/.test(demuxer);
}
