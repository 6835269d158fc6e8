import { GENERAL_OPTIONS, KEEP_FILTERS, inputOptions, mixGraph, originOffset } from './encode.ts';
import type { UnitPaths } from './encode.ts';
import { averageScale, TINY } from './gate/reference.ts';
import type { Size, SourceVideo } from './media.ts';
import { colorFilters, decoderOptions, frameFilters } from './picture.ts';
import { imageNames } from './plan-images.ts';
import type { AudioTrack, ImagePlan, Plan, Storyboard } from './plan.ts';

/** ffmpeg holds all candidates for the poster in memory at once. */
const POSTER_CANDIDATES = 40;
/** In longer sources, only key frames are decoded. */
const DECODE_ALL_SECONDS = 600;

/**
 * The commands that can make the images, in order of preference. If one makes no poster, because all frames are dark or
 * the cover is damaged, the next one is tried.
 */
export function imagesCommands(plan: Plan, paths: UnitPaths): readonly (readonly string[])[] {
  const { images, media } = plan;
  const { poster, storyboard } = images;
  const { video, cover } = media;
  if (video && storyboard) {
    return [SKIP_DARK, []].map((filters) =>
      imagesCommand(plan, paths, [
        `[0:${video.index}]${moments(plan, video, storyboard)},split=3[board][typical][shown]`,
        `[board]${scaled(storyboard.tile)},tile=${storyboard.columns}x${storyboard.rows},${JPEG}[sheets]`,
        `[typical]${selectPoster(poster, storyboard, filters)}[chosen]`,
      ]),
    );
  }
  const [track] = plan.audio.filter((one) => one.default);
  if (!track) throw new Error(`Job ${plan.jobId} has neither a picture nor sound.`);
  const graphs = [
    ...(cover
      ? [
          [
            `[0:${cover.index}]${[...frameFilters(cover), ...colorFilters(cover), scaled(poster)].join(',')},split[chosen][shown]`,
          ],
        ]
      : []),
    waveform(plan, track),
  ];
  return graphs.map((graph) => imagesCommand(plan, paths, graph));
}

/**
 * Makes all images in one run. `graph` has the outputs `[chosen]`, the picture of the poster; `[sheets]`, if there is a
 * storyboard; and `[shown]`, all pictures that the images show, of which the gate gets copies.
 */
function imagesCommand(plan: Plan, paths: UnitPaths, graph: readonly string[]): readonly string[] {
  const names = imageNames(plan.images);
  const { thumbnails, storyboard } = plan.images;
  const labels = thumbnails.map((_, index) => `[t${index}]`);
  const whole = [
    ...graph,
    `[chosen]split=${1 + labels.length}[p]${labels.join('')}`,
    `[p]${JPEG}[poster]`,
    ...thumbnails.map((size, index) => `[t${index}]${scaled(size)},${JPEG}[thumbnail${index}]`),
    `[shown]${averageScale(TINY)},${JPEG}[copies]`,
  ].join(';');
  const image = (label: string, name: string) => [
    ...['-map', `[${label}]`, '-frames:v', '1', '-update', '1'],
    ...jpeg(3),
    `file:${paths.directory}/${name}`,
  ];
  const sheets = [
    ...['-map', '[sheets]', '-start_number', '0', ...jpeg(5)],
    // In a numbered file name, a literal percent sign is doubled.
    `file:${paths.directory.replaceAll('%', '%%')}/storyboard-%d.jpg`,
  ];
  return [
    ...GENERAL_OPTIONS,
    ...KEEP_FILTERS,
    ...decoderOptions(storyboard ? plan.media.video : plan.media.cover),
    ...(storyboard && plan.durationSeconds > DECODE_ALL_SECONDS ? ['-skip_frame', 'nokey'] : []),
    ...(storyboard ? [] : originOffset(plan)),
    ...inputOptions(paths, plan.media.opening),
    ...['-filter_complex', whole],
    ...image('poster', names.poster),
    ...names.thumbnails.flatMap((name, index) => image(`thumbnail${index}`, name)),
    ...(storyboard ? sheets : []),
    ...['-map', '[copies]', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo'],
    `file:${paths.directory}/${SHOWN_IMAGES}`,
  ];
}

/** The file in the scratch folder with tiny copies of the pictures that the images show. */
export const SHOWN_IMAGES = 'shown.yuv';

/** Decodes concatenated JPEGs. Each tile of a storyboard sheet becomes a tiny copy; posters get the same total size. */
export function imagesDecoder({ storyboard }: ImagePlan): readonly string[] {
  const { columns, rows } = sheetLayout(storyboard);
  const size = { width: TINY.width * columns, height: TINY.height * rows };
  return [
    ...['-hide_banner', '-loglevel', 'error', '-threads', '1', '-f', 'jpeg_pipe', '-i', 'pipe:0'],
    ...['-vf', `${averageScale(size)},format=yuvj420p`],
    ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
  ];
}

/** One tile for sources without a storyboard. */
export function sheetLayout(
  storyboard: Storyboard | undefined,
): Pick<Storyboard, 'columns' | 'rows'> {
  return storyboard ?? { columns: 1, rows: 1 };
}

/** One frame for each tile of the storyboard, with output colours. */
function moments({ originSeconds }: Plan, video: SourceVideo, storyboard: Storyboard): string {
  return [
    `setpts=PTS-(${originSeconds})/TB`,
    ...printTimes('metadata'),
    ...frameFilters(video),
    `fps=fps=1/${storyboard.intervalSeconds}:start_time=0:round=up`,
    'tpad=stop=-1:stop_mode=clone',
    `trim=end_frame=${storyboard.tiles}`,
    ...colorFilters(video),
  ].join(',');
}

/**
 * Prints the time of each frame as a sign of progress. `-progress` prints nothing until all outputs have begun, and the
 * poster begins only after the whole source was read.
 */
function printTimes(filter: 'metadata' | 'ametadata'): readonly string[] {
  return [
    `${filter}=mode=add:key=seen:value=1`,
    `${filter}=mode=print:key=seen:file=pipe\\\\:1:direct=1`,
  ];
}

/** Selects the most representative frame: https://ffmpeg.org/ffmpeg-filters.html#thumbnail */
function selectPoster(poster: Size, { tiles }: Storyboard, filters: readonly string[]): string {
  const step = Math.ceil(tiles / POSTER_CANDIDATES);
  return [
    `select=not(mod(n\\,${step}))`,
    scaled(poster),
    ...filters,
    `thumbnail=n=${POSTER_CANDIDATES}`,
  ].join(',');
}

/** Drops frames with an average luma below 32; 16 is black. */
const SKIP_DARK = [
  'signalstats',
  'metadata=mode=select:key=lavfi.signalstats.YAVG:value=32:function=greater',
];

const WAVEFORM_COLORS = { bar: '0x8ec5ff', background: '0x16202a' };
/** In pixels: the distance between the starts of two bars, and the gap between them. */
const BAR = { step: 8, gap: 3 };

/**
 * Draws the loudness as bars, with a line for silence. showwavespic keeps all samples in memory, so its input is the
 * mean power (the squared signal) at 400 Hz: 35 MB for 12 hours. The cube-root scale keeps speech visible.
 */
function waveform(plan: Plan, track: AudioTrack): readonly string[] {
  const { width, height } = plan.images.poster;
  const { bar, background } = WAVEFORM_COLORS;
  const mono = [
    'aresample=8000',
    'aformat=sample_fmts=fltp:channel_layouts=mono',
    // One second a frame.
    'asetnsamples=n=8000:p=0',
    ...printTimes('ametadata'),
  ];
  const bars = [
    'amultiply',
    'aresample=400',
    'asetnsamples=n=65536:p=0',
    `showwavespic=s=${Math.max(1, Math.round(width / BAR.step))}x${height}:scale=cbrt:filter=peak:colors=${bar}`,
    `scale=${width}:${height}:flags=neighbor`,
  ];
  const picture = [
    'overlay=format=rgb:shortest=1',
    `drawbox=x=0:y=ih/2-2:w=iw:h=4:c=${bar}:t=fill`,
    `drawgrid=w=${BAR.step}:h=ih:t=${BAR.gap}:c=${background}`,
    'setsar=1',
  ];
  return [
    mixGraph(track, [...mono, `atrim=end=${plan.durationSeconds}`]),
    '[sum]asplit=2[one][same]',
    `[one][same]${bars.join(',')}[bars]`,
    `color=c=${background}:s=${width}x${height}:d=1[ground]`,
    `[ground][bars]${picture.join(',')},split[chosen][shown]`,
  ];
}

function scaled({ width, height }: Size): string {
  return `scale=${width}:${height}:flags=bicubic,setsar=1`;
}

/** JFIF 1.02 allows only BT.601 in full range. */
const JPEG = 'scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p';

function jpeg(quality: number): readonly string[] {
  return [
    ...['-c:v', 'mjpeg', '-q:v', String(quality), '-fps_mode', 'passthrough'],
    ...['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'image2'],
  ];
}
