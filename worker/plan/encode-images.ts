import { GENERAL_OPTIONS, KEEP_FILTERS, inputOptions, sum, timeZero } from './encode.ts';
import type { Place } from './encode.ts';
import { averageScale, TINY } from './gate/reference.ts';
import type { Size, SourceVideo } from './media.ts';
import { colorFilters, decoderOptions, frameFilters } from './picture.ts';
import { imageNames } from './plan-images.ts';
import type { AudioTrack, ImagePlan, Plan, Storyboard } from './plan.ts';

/** The poster is the most typical of at most so many moments, held in memory at once. */
const POSTER_CANDIDATES = 40;
/** Up to so many seconds every frame is decoded; a longer source is looked at by its key frames. */
const DECODE_ALL_SECONDS = 600;

/**
 * The runs of ffmpeg that can make the images, the best first. The next one is for a source of which
 * the one before made no poster: all of its frames are dark, or its cover is damaged.
 */
export function imagesCommands(plan: Plan, place: Place): readonly (readonly string[])[] {
  const { images, media } = plan;
  const { poster, storyboard } = images;
  const { video, cover } = media;
  if (video && storyboard) {
    return [BRIGHT, []].map((brightness) =>
      imagesCommand(plan, place, [
        `[0:${video.index}]${moments(plan, video, storyboard)},split=3[board][typical][shown]`,
        `[board]${scaled(storyboard.tile)},tile=${storyboard.columns}x${storyboard.rows},${JPEG}[sheets]`,
        `[typical]${typical(poster, storyboard, brightness)}[chosen]`,
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
  return graphs.map((graph) => imagesCommand(plan, place, graph));
}

/**
 * One run for all images. The graph ends in the `[chosen]` picture of the poster, in the `[sheets]` where there
 * is a storyboard, and in the pictures `[shown]` in the images, of which the gate gets copies.
 */
function imagesCommand(plan: Plan, place: Place, graph: readonly string[]): readonly string[] {
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
    `file:${place.directory}/${name}`,
  ];
  const sheets = [
    ...['-map', '[sheets]', '-start_number', '0', ...jpeg(5)],
    // In a name with a number ffmpeg takes every percent sign as the start of one.
    `file:${place.directory.replaceAll('%', '%%')}/storyboard-%d.jpg`,
  ];
  return [
    ...GENERAL_OPTIONS,
    ...KEEP_FILTERS,
    ...decoderOptions(storyboard ? plan.media.video : plan.media.cover),
    ...(storyboard && plan.durationSeconds > DECODE_ALL_SECONDS ? ['-skip_frame', 'nokey'] : []),
    ...(storyboard ? [] : timeZero(plan)),
    ...inputOptions(place, plan.media.opening),
    ...['-filter_complex', whole],
    ...image('poster', names.poster),
    ...names.thumbnails.flatMap((name, index) => image(`thumbnail${index}`, name)),
    ...(storyboard ? sheets : []),
    ...['-map', '[copies]', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo'],
    `file:${place.directory}/${SHOWN_IMAGES}`,
  ];
}

/** A file in the scratch folder: tiny copies of the pictures that the images show. */
export const SHOWN_IMAGES = 'shown.yuv';

/** Decodes the images, which follow each other, to copies in which each tile of a sheet is a tiny copy. */
export function imagesDecoder({ storyboard }: ImagePlan): readonly string[] {
  const { columns, rows } = sheetLayout(storyboard);
  const size = { width: TINY.width * columns, height: TINY.height * rows };
  return [
    ...['-hide_banner', '-loglevel', 'error', '-threads', '1', '-f', 'jpeg_pipe', '-i', 'pipe:0'],
    ...['-vf', `${averageScale(size)},format=yuvj420p`],
    ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
  ];
}

/** Sound alone has an image without tiles. */
export function sheetLayout(
  storyboard: Storyboard | undefined,
): Pick<Storyboard, 'columns' | 'rows'> {
  return storyboard ?? { columns: 1, rows: 1 };
}

/** A frame each interval, in standard range: the storyboard's tiles. */
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
 * Prints the time of each frame that comes by. `-progress` is silent until all outputs have begun, and the
 * poster, which is chosen from the whole source, is one of them.
 */
function printTimes(filter: 'metadata' | 'ametadata'): readonly string[] {
  return [
    `${filter}=mode=add:key=seen:value=1`,
    `${filter}=mode=print:key=seen:file=pipe\\\\:1:direct=1`,
  ];
}

/** The most typical of some of the moments (https://ffmpeg.org/ffmpeg-filters.html#thumbnail). */
function typical(poster: Size, { tiles }: Storyboard, brightness: readonly string[]): string {
  const step = Math.ceil(tiles / POSTER_CANDIDATES);
  return [
    `select=not(mod(n\\,${step}))`,
    scaled(poster),
    ...brightness,
    `thumbnail=n=${POSTER_CANDIDATES}`,
  ].join(',');
}

/** Drops frames that are nearly black. 16 is black; below 32 on average there is little to see. */
const BRIGHT = [
  'signalstats',
  'metadata=mode=select:key=lavfi.signalstats.YAVG:value=32:function=greater',
];

const WAVEFORM_COLORS = { bar: '0x8ec5ff', ground: '0x16202a' };
/** Pixels from one bar to the next, and the gap between them. */
const BAR = { step: 8, gap: 3 };

/**
 * Bars as high as the sound is loud. showwavespic keeps all samples in memory, so that it gets the
 * mean power (the signal times itself, 400 times a second: 35 MB for 12 hours) in few frames. The
 * cube root leaves something to see of speech, and a line stands for silence.
 */
function waveform(plan: Plan, track: AudioTrack): readonly string[] {
  const { width, height } = plan.images.poster;
  const { bar, ground } = WAVEFORM_COLORS;
  const mono = [
    'aresample=8000',
    'aformat=sample_fmts=fltp:channel_layouts=mono',
    // A second each.
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
    `drawgrid=w=${BAR.step}:h=ih:t=${BAR.gap}:c=${ground}`,
    'setsar=1',
  ];
  return [
    sum(track, [...mono, `atrim=end=${plan.durationSeconds}`]),
    '[sum]asplit=2[one][same]',
    `[one][same]${bars.join(',')}[bars]`,
    `color=c=${ground}:s=${width}x${height}:d=1[ground]`,
    `[ground][bars]${picture.join(',')},split[chosen][shown]`,
  ];
}

function scaled({ width, height }: Size): string {
  return `scale=${width}:${height}:flags=bicubic,setsar=1`;
}

/** JPEG knows the full range of levels and BT.601 only (JFIF 1.02). */
const JPEG = 'scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p';

function jpeg(quality: number): readonly string[] {
  return [
    ...['-c:v', 'mjpeg', '-q:v', String(quality), '-fps_mode', 'passthrough'],
    ...['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'image2'],
  ];
}
