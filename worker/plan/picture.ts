import { shortSide } from './geometry.ts';
import type { Size, SourceVideo } from './media.ts';
import { isSideways, turnFilters } from './turn.ts';

/** Makes whole upright frames of one size: of fields while they still come as the camera took them. */
export function frameFilters(video: SourceVideo): readonly string[] {
  return [
    ...(video.resized ? fitted(video) : []),
    ...wholeFrames(video),
    ...turnFilters(video.turn),
  ];
}

function wholeFrames({ fieldOrder, fieldsFlagged, resized }: SourceVideo): readonly string[] {
  if (fieldOrder === 'progressive') return [];
  const parity = fieldOrder === 'top_first' ? 'tff' : 'bff';
  return [
    // Fields of another size would be woven into the ones before.
    ...(resized ? [] : ['scale=interl=1']),
    // A frame for each frame, not for each field: the grid's rate is the source's.
    `bwdif=mode=send_frame:parity=${parity}:deint=${fieldsFlagged ? 'interlaced' : 'all'}`,
  ];
}

/** Fits each frame into the largest, with black beside or above it. Fields stay lines of their own. */
function fitted({ display, turn, fieldOrder }: SourceVideo): readonly string[] {
  const sideways = isSideways(turn);
  const [width, height] = sideways
    ? [display.height, display.width]
    : [display.width, display.height];
  const even = (length: string) => `round(${length}/2)*2`;
  const fields = fieldOrder !== 'progressive';
  return [
    `scale=w=${even(`min(${width}\\,${height}*dar)`)}:h=${even(`min(${height}\\,${width}/dar)`)}` +
      `:eval=frame:flags=bicubic${fields ? ':interl=1' : ''}`,
    'setsar=1',
    `pad=${width}:${height}:(ow-iw)/2:${fields ? 'trunc((oh-ih)/8)*4' : '(oh-ih)/2'}:eval=frame`,
  ];
}

/** Standard dynamic range, 8 bit 4:2:0, opaque: what every rendition shares before it is scaled. */
export function colorFilters(video: SourceVideo): readonly string[] {
  return [
    ...(video.alpha ? onBlack(video) : []),
    ...(video.transfer === 'sdr'
      ? ['format=yuv420p', ...namedColors(video)]
      : [...toneMapped(video), 'format=yuv420p']),
  ];
}

/** What is transparent shows black, and nothing of the colour that lies hidden there. */
function onBlack({ rgb, bitDepth }: SourceVideo): readonly string[] {
  const format = rgb ? 'gbrap' : bitDepth > 8 ? 'yuva444p10le' : 'yuva444p';
  return [`format=${format}`, 'premultiply=inplace=1'];
}

/**
 * Options of the decoder, before the input. ffmpeg would turn the picture by any angle that the file
 * says; here the filters do it. What a decoder makes of damaged frames depends on how many threads it
 * has, and on their timing.
 */
export function decoderOptions(video: SourceVideo | undefined): readonly string[] {
  // ffmpeg's own decoders leave out the transparency of VP8 and VP9.
  const decoder = video?.alpha ? { vp8: 'libvpx', vp9: 'libvpx-vp9' }[video.codec] : undefined;
  return [
    '-threads',
    '1',
    '-noautorotate',
    ...(video && decoder ? [`-c:${video.index}`, decoder] : []),
  ];
}

/**
 * Scales to square pixels. The aspect ratio is set, as rounding leaves odd ones that players trip
 * over (https://github.com/shaka-project/shaka-streamer/issues/36).
 */
export function scaleFilter({ width, height }: Size): string {
  return `scale=${width}:${height}:flags=bicubic:out_range=tv,setsar=1`;
}

/** Of pictures that do not say, those of so many lines are taken as BT.709, smaller ones as BT.601. */
const HIGH_DEFINITION = 720;

/**
 * The colours that are named because the source does not. Players guess by the size of a picture, and
 * would show the renditions of one source differently. ffmpeg turns RGB into the luma and chroma of BT.601.
 */
function unnamedColors(video: SourceVideo): Partial<Record<ColorPart, NamedColor>> {
  const { display, rgb, colorPrimaries, colorTransfer, colorMatrix } = video;
  const usual = rgb || shortSide(display) >= HIGH_DEFINITION ? 'bt709' : 'smpte170m';
  return {
    ...(colorPrimaries ? {} : { primaries: usual }),
    ...(colorTransfer ? {} : { transfer: usual }),
    ...(rgb ? { matrix: 'smpte170m' } : colorMatrix ? {} : { matrix: usual }),
  };
}

function namedColors(video: SourceVideo): readonly string[] {
  const { primaries, transfer, matrix } = unnamedColors(video);
  const named = [
    ...(primaries ? [`color_primaries=${primaries}`] : []),
    ...(transfer ? [`color_trc=${transfer}`] : []),
    ...(matrix ? [`colorspace=${matrix}`] : []),
  ];
  return named.length > 0 ? [`setparams=${named.join(':')}`] : [];
}

type ColorPart = 'primaries' | 'transfer' | 'matrix';
type NamedColor = keyof typeof CODE_POINTS;

/** ITU-T H.273. */
const CODE_POINTS = { bt709: 1, smpte170m: 6 } as const;

/** H.273's code points for the colours of every rendition; undefined for what is the source's own. */
export function outputColors(video: SourceVideo): Record<ColorPart, number | undefined> {
  const { primaries, transfer, matrix }: Partial<Record<ColorPart, NamedColor>> =
    video.transfer === 'sdr'
      ? unnamedColors(video)
      : { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' };
  return {
    primaries: primaries && CODE_POINTS[primaries],
    transfer: transfer && CODE_POINTS[transfer],
    matrix: matrix && CODE_POINTS[matrix],
  };
}

/**
 * HDR to BT.709 by way of linear light. What the file does not say of its primaries and matrix is
 * taken as BT.2020, which both transfers come with, and its constant luminance, which nobody decodes, as
 * the usual one; 100 cd/m² is the white of standard range.
 */
function toneMapped({
  transfer,
  colorPrimaries,
  colorMatrix,
  colorRange,
}: SourceVideo): readonly string[] {
  const primaries = colorPrimaries ?? 'bt2020';
  const input = [
    `tin=${transfer === 'pq' ? 'smpte2084' : 'arib-std-b67'}`,
    `pin=${primaries}`,
    `min=${!colorMatrix || colorMatrix === 'bt2020c' ? 'bt2020nc' : colorMatrix}`,
    `rin=${colorRange ?? 'tv'}`,
  ].join(':');
  return [
    // What is not said of a frame zscale would not convert from: primaries go in and out alike.
    `zscale=${input}:p=${primaries}:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
  ];
}
