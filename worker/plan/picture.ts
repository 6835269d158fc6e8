import { shortSide } from './geometry.ts';
import type { Size, SourceVideo } from './media.ts';
import { isSideways, turnFilters } from './turn.ts';

/** Makes whole, upright frames of one size. Deinterlacing comes before the turn, while lines are still as recorded. */
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
    // Fields of another size would be woven into the previous ones.
    ...(resized ? [] : ['scale=interl=1']),
    // One frame per frame, not per field: the grid keeps the source's rate.
    `bwdif=mode=send_frame:parity=${parity}:deint=${fieldsFlagged ? 'interlaced' : 'all'}`,
  ];
}

/** Fits each frame into the largest and pads it with black. The lines of fields stay separate. */
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

/** Makes frames opaque 8-bit 4:2:0 of standard dynamic range, which all renditions share before they are scaled. */
export function colorFilters(video: SourceVideo): readonly string[] {
  return [
    ...(video.alpha ? onBlack(video) : []),
    ...(video.transfer === 'sdr'
      ? ['format=yuv420p', ...namedColors(video)]
      : [...toneMapped(video), 'format=yuv420p']),
  ];
}

/** Shows transparent parts as black, without the colour that they hide. */
function onBlack({ rgb, bitDepth }: SourceVideo): readonly string[] {
  const format = rgb ? 'gbrap' : bitDepth > 8 ? 'yuva444p10le' : 'yuva444p';
  return [`format=${format}`, 'premultiply=inplace=1'];
}

/**
 * Decoder options, which precede the input. ffmpeg would turn the picture by any declared angle; here the filters turn
 * it. A single thread makes the result for damaged frames reproducible.
 */
export function decoderOptions(video: SourceVideo | undefined): readonly string[] {
  // ffmpeg's own decoders ignore the transparency of VP8 and VP9.
  const decoder = video?.alpha ? { vp8: 'libvpx', vp9: 'libvpx-vp9' }[video.codec] : undefined;
  return [
    '-threads',
    '1',
    '-noautorotate',
    ...(video && decoder ? [`-c:${video.index}`, decoder] : []),
  ];
}

/**
 * Scales to square pixels. The sample aspect ratio is set explicitly, as rounding leaves ratios that break players
 * (https://github.com/shaka-project/shaka-streamer/issues/36).
 */
export function scaleFilter({ width, height }: Size): string {
  return `scale=${width}:${height}:flags=bicubic:out_range=tv,setsar=1`;
}

/** If colours are not declared, pictures of at least this many lines count as BT.709, smaller ones as BT.601. */
const HIGH_DEFINITION = 720;

/**
 * The colours that the source does not declare. Players guess undeclared colours by the size of a picture, and would
 * show the renditions of one source differently. ffmpeg converts RGB to the luma and chroma of BT.601.
 */
function undeclaredColors(video: SourceVideo): Partial<Record<ColorPart, NamedColor>> {
  const { display, rgb, colorPrimaries, colorTransfer, colorMatrix } = video;
  const assumed = rgb || shortSide(display) >= HIGH_DEFINITION ? 'bt709' : 'smpte170m';
  return {
    ...(colorPrimaries ? {} : { primaries: assumed }),
    ...(colorTransfer ? {} : { transfer: assumed }),
    ...(rgb ? { matrix: 'smpte170m' } : colorMatrix ? {} : { matrix: assumed }),
  };
}

function namedColors(video: SourceVideo): readonly string[] {
  const { primaries, transfer, matrix } = undeclaredColors(video);
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

/** H.273's code points of the renditions' colours; undefined for those that the source declares. */
export function outputColors(video: SourceVideo): Record<ColorPart, number | undefined> {
  const { primaries, transfer, matrix }: Partial<Record<ColorPart, NamedColor>> =
    video.transfer === 'sdr'
      ? undeclaredColors(video)
      : { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' };
  return {
    primaries: primaries && CODE_POINTS[primaries],
    transfer: transfer && CODE_POINTS[transfer],
    matrix: matrix && CODE_POINTS[matrix],
  };
}

/**
 * Converts HDR to BT.709 by way of linear light. Undeclared primaries and matrices count as BT.2020, which both transfers
 * are used with. Constant luminance, which no player decodes, counts as non-constant. 100 cd/m² is the white of standard
 * range.
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
    // zscale does not convert from undeclared primaries: the input and output primaries are equal here.
    `zscale=${input}:p=${primaries}:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
  ];
}
