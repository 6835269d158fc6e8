import type { Grid } from './grid.ts';
import type { Rendition, Skipped } from './ladder.ts';
import type { Size, SourceMedia } from './source.ts';

/** One version of one uploaded object. */
export interface SourceObject {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
}

/** One source audio stream as an HLS audio rendition. */
export interface AudioTrack {
  /** `audio-0`, also in keys. */
  readonly name: string;
  readonly streamIndex: number;
  readonly language: string;
  /** What a player's menu shows; unique within the asset. */
  readonly label: string;
  readonly default: boolean;
  readonly channels: 1 | 2;
  readonly bitRate: number;
}

export interface ImagePlan {
  /** Widths of the thumbnails; the poster has the largest rendition's size. */
  readonly thumbnailWidths: readonly number[];
  readonly poster: Size;
  readonly storyboard: Storyboard;
}

/** Sprite sheets: `columns` × `rows` tiles each, a tile every `intervalSeconds`. */
export interface Storyboard {
  readonly tile: Size;
  readonly columns: number;
  readonly rows: number;
  readonly intervalSeconds: number;
  readonly tiles: number;
}

export type Unit =
  | {
      readonly kind: 'video';
      readonly name: string;
      readonly firstFrame: number;
      readonly frames: number;
      readonly firstSegment: number;
      readonly segments: number;
    }
  | { readonly kind: 'audio'; readonly name: string; readonly track: string }
  | { readonly kind: 'images'; readonly name: 'images' };

/** The immutable decision record of a job. What it says depends on the source and the options only. */
export interface Plan {
  readonly schema: 1;
  readonly jobId: string;
  readonly assetId: string;
  readonly source: SourceObject;
  readonly title: string;
  readonly media: SourceMedia;
  readonly durationSeconds: number;
  /** Exact segment durations follow from the grid; a plan for sound alone has a grid of 50 frames/s and no renditions. */
  readonly grid: Grid;
  readonly renditions: readonly Rendition[];
  readonly skipped: readonly Skipped[];
  readonly audio: readonly AudioTrack[];
  readonly images?: ImagePlan;
  readonly units: readonly Unit[];
  /** x264's effort and quality. */
  readonly encoder: { readonly preset: string; readonly crf: number };
}
