/** What a finished unit made. The object store is the only state: a unit is done when its marker is there. */
export type Marker = VideoMarker | AudioMarker | ImagesMarker;

interface MarkerOf<Kind extends string> {
  readonly kind: Kind;
  readonly unit: string;
  /** Wall seconds that the unit took. */
  readonly elapsedSeconds: number;
}

export interface SegmentFacts {
  readonly bytes: number;
  readonly durationSeconds: number;
}

export interface VideoMarker extends MarkerOf<'video'> {
  readonly renditions: readonly {
    readonly name: string;
    /** RFC 6381, from the SPS: `avc1.64001f`. */
    readonly codecs: string;
    /** One per segment of the chunk, in order. */
    readonly segments: readonly (SegmentFacts & { readonly frames: number })[];
  }[];
}

export interface AudioMarker extends MarkerOf<'audio'> {
  /** `mp4a.40.2` */
  readonly codecs: string;
  readonly segments: readonly SegmentFacts[];
}

export interface ImagesMarker extends MarkerOf<'images'> {
  /** File names under the version's `images/`, with their sizes. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}
