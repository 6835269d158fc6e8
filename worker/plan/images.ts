import { GENERAL_OPTIONS, inputOptions } from './encode.ts';
import type { Place } from './encode.ts';
import { fit, shortSide } from './geometry.ts';
import { colorFilters, frameFilters } from './picture.ts';
import type { ImagePlan, Plan, Storyboard } from './plan.ts';
import type { Size } from './source.ts';

const POSTER_WIDTH = 1280;
const THUMBNAIL_WIDTHS = [640, 320];
const TILE_WIDTH = 160;
/** A phone's picture has 284 lines of it; of one that is all height a JPEG could not hold a sheet (65,500 lines). */
const TILE_HEIGHT = 320;
const COLUMNS = 5;
const ROWS = 5;
/** A seek bar is a few hundred pixels long: more pictures than this nobody can aim at. */
const MOST_TILES = 200;
/** The poster is the most typical of at most so many moments, held in memory at once. */
const POSTER_CANDIDATES = 40;
/** Up to so many seconds every frame is decoded; a longer source is looked at by its key frames. */
const DECODE_ALL_SECONDS = 600;

/** The images of an asset whose largest rendition has that size. */
export function planImages(largest: Size, durationSeconds: number): ImagePlan {
  const poster = atMostWide(largest, POSTER_WIDTH);
  const intervalSeconds = Math.max(1, Math.ceil(durationSeconds / MOST_TILES));
  return {
    poster,
    thumbnails: THUMBNAIL_WIDTHS.filter((width) => width < poster.width).map((width) =>
      atMostWide(largest, width),
    ),
    storyboard: {
      tile: within(largest, TILE_WIDTH, TILE_HEIGHT),
      columns: COLUMNS,
      rows: ROWS,
      intervalSeconds,
      tiles: Math.max(1, Math.ceil(durationSeconds / intervalSeconds - 0.01)),
    },
  };
}

/** File names under the version's `images/`. */
export function imageNames({ thumbnails, storyboard }: ImagePlan) {
  return {
    poster: 'poster.jpg',
    thumbnails: thumbnails.map(({ width }) => `thumbnail-${width}.jpg`),
    sheets: Array.from({ length: sheetsOf(storyboard) }, (_, index) => `storyboard-${index}.jpg`),
    storyboard: 'storyboard.vtt',
  } as const;
}

/**
 * One run for all images: a frame each interval becomes the storyboard, and the most typical of some
 * of them (https://ffmpeg.org/ffmpeg-filters.html#thumbnail) the poster and the thumbnails.
 * `dark: 'skipped'` looks at no frame that is nearly black, and then may find no poster.
 */
export function imagesCommand(
  plan: Plan,
  place: Place,
  dark: 'skipped' | 'allowed',
): readonly string[] {
  const { images, media } = plan;
  if (!images || !media.video)
    throw new Error(`Job ${plan.jobId} has no picture to take images of.`);
  const { storyboard, poster, thumbnails } = images;
  const names = imageNames(images);
  const moments = [
    `setpts=PTS-(${media.startSeconds})/TB`,
    ...frameFilters(media.video),
    `fps=fps=1/${storyboard.intervalSeconds}:start_time=0:round=up`,
    'tpad=stop=-1:stop_mode=clone',
    `trim=end_frame=${storyboard.tiles}`,
    ...colorFilters(media.video),
    'split=2[board][typical]',
  ];
  const step = Math.ceil(storyboard.tiles / POSTER_CANDIDATES);
  const typical = [
    `select=not(mod(n\\,${step}))`,
    scaled(poster),
    // 16 is black; below 32 on average there is little to see.
    ...(dark === 'skipped'
      ? ['signalstats', 'metadata=mode=select:key=lavfi.signalstats.YAVG:value=32:function=greater']
      : []),
    `thumbnail=n=${POSTER_CANDIDATES}`,
    `split=${1 + thumbnails.length}[p]${thumbnails.map((_, index) => `[t${index}]`).join('')}`,
  ];
  const sheet = `tile=${storyboard.columns}x${storyboard.rows}`;
  const graph = [
    `[0:${media.video.index}]${moments.join(',')}`,
    `[board]${scaled(storyboard.tile)},${sheet},${JPEG}[sheets]`,
    `[typical]${typical.join(',')}`,
    `[p]${JPEG}[poster]`,
    ...thumbnails.map((size, index) => `[t${index}]${scaled(size)},${JPEG}[thumbnail${index}]`),
  ].join(';');
  const image = (label: string, name: string) => [
    ...['-map', `[${label}]`, '-frames:v', '1', '-update', '1'],
    ...jpeg(3),
    `file:${place.directory}/${name}`,
  ];
  return [
    ...GENERAL_OPTIONS,
    // Decoded by several threads, a damaged source looks different on every run.
    ...['-threads', '1'],
    ...(plan.durationSeconds > DECODE_ALL_SECONDS ? ['-skip_frame', 'nokey'] : []),
    ...inputOptions({ ...place, late: media.late }),
    ...['-filter_complex', graph],
    ...image('poster', names.poster),
    ...names.thumbnails.flatMap((name, index) => image(`thumbnail${index}`, name)),
    ...['-map', '[sheets]', '-start_number', '0', ...jpeg(5)],
    // In a name with a number ffmpeg takes every percent sign as the start of one.
    `file:${place.directory.replaceAll('%', '%%')}/storyboard-%d.jpg`,
  ];
}

/** Which part of which sheet shows which moment, for players (WebVTT with media fragments). */
export function storyboardVtt(storyboard: Storyboard, durationSeconds: number): string {
  const { tile, columns, rows, intervalSeconds, tiles } = storyboard;
  const cues = Array.from({ length: tiles }, (_, index) => {
    const from = index * intervalSeconds;
    const to = index === tiles - 1 ? durationSeconds : from + intervalSeconds;
    const place = index % (columns * rows);
    const x = (place % columns) * tile.width;
    const y = Math.floor(place / columns) * tile.height;
    const sheet = Math.floor(index / (columns * rows));
    return `${clock(from)} --> ${clock(to)}\nstoryboard-${sheet}.jpg#xywh=${x},${y},${tile.width},${tile.height}\n`;
  });
  return `WEBVTT\n\n${cues.join('\n')}`;
}

function sheetsOf({ tiles, columns, rows }: Storyboard): number {
  return Math.ceil(tiles / (columns * rows));
}

function atMostWide(size: Size, width: number): Size {
  return within(size, width, Infinity);
}

function within(size: Size, width: number, height: number): Size {
  const scale = Math.min(1, width / size.width, height / size.height);
  return fit(size, shortSide(size) * scale);
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

function clock(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  const part = (divisor: number, modulus: number, width: number) =>
    String(Math.floor(milliseconds / divisor) % modulus).padStart(width, '0');
  return `${part(3_600_000, 1e6, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`;
}
