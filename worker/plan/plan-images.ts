import { fit, shortSide } from './geometry.ts';
import type { Size } from './media.ts';
import type { ImagePlan, Storyboard } from './plan.ts';

const POSTER_WIDTH = 1280;
const THUMBNAIL_WIDTHS = [640, 320];
const TILE_WIDTH = 160;
/**
 * Enough for portrait video (160x284). Without a limit, a sheet of extremely tall tiles exceeds JPEG's 65,500 lines.
 */
const TILE_HEIGHT = 320;
const COLUMNS = 5;
const ROWS = 5;
/** A seek bar is a few hundred pixels long: nobody can point at more tiles. */
const MAX_TILES = 200;
/** The size of a poster that shows the waveform. */
const WAVEFORM: Size = { width: 1280, height: 720 };

/** Plans the images of a video. None is larger than its largest rendition. */
export function planImages(largest: Size, durationSeconds: number): ImagePlan {
  const intervalSeconds = Math.max(1, Math.ceil(durationSeconds / MAX_TILES));
  return {
    ...planPoster(largest),
    storyboard: {
      tile: within(largest, TILE_WIDTH, TILE_HEIGHT),
      columns: COLUMNS,
      rows: ROWS,
      intervalSeconds,
      tiles: Math.max(1, Math.ceil(durationSeconds / intervalSeconds - 0.01)),
    },
  };
}

/** Plans the images of an audio-only asset: its cover if it has one, and otherwise its waveform. */
export function planSoundImages(cover: Size | undefined): ImagePlan {
  return planPoster(cover ?? WAVEFORM);
}

function planPoster(size: Size): ImagePlan {
  const poster = limitWidth(size, POSTER_WIDTH);
  const thumbnails = THUMBNAIL_WIDTHS.filter((width) => width < poster.width);
  return { poster, thumbnails: thumbnails.map((width) => limitWidth(size, width)) };
}

/** File names below the version's `images/`. */
export function imageNames({ thumbnails, storyboard }: ImagePlan) {
  return {
    poster: 'poster.jpg',
    thumbnails: thumbnails.map(({ width }) => `thumbnail-${width}.jpg`),
    sheets: Array.from({ length: sheetCount(storyboard) }, (_, index) => `storyboard-${index}.jpg`),
    storyboard: storyboard && 'storyboard.vtt',
  } as const;
}

function sheetCount(storyboard: Storyboard | undefined): number {
  if (!storyboard) return 0;
  const { tiles, columns, rows } = storyboard;
  return Math.ceil(tiles / (columns * rows));
}

function limitWidth(size: Size, width: number): Size {
  return within(size, width, Infinity);
}

function within(size: Size, width: number, height: number): Size {
  const scale = Math.min(1, width / size.width, height / size.height);
  return fit(size, shortSide(size) * scale);
}
