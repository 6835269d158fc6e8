import { z } from 'zod';

/** What a finished unit made. The object store is the only state: a unit is done when its marker is there. */
export type Marker = VideoMarker | AudioMarker | ImagesMarker;

interface MarkerOf<Kind extends string> {
  readonly kind: Kind;
  readonly unit: string;
  /** Of the plan: see planVersion. */
  readonly version: string;
  /** Wall seconds that the unit took. */
  readonly elapsedSeconds: number;
}

/** What was put into the delivery bucket under a name. */
export interface StoredFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly md5: string;
}

export interface SegmentFacts extends StoredFile {
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
  /** By their names under the version's `images/`. */
  readonly files: readonly (StoredFile & { readonly name: string })[];
}

const stored = { bytes: z.number().int().min(0), md5: z.string().regex(/^[0-9a-f]{32}$/) };
const durationSeconds = z.number().min(0);
const common = {
  unit: z.string().min(1),
  version: z.string().min(1),
  elapsedSeconds: z.number().min(0),
};

const markerSchema: z.ZodType<Marker> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('video'),
    ...common,
    renditions: z.array(
      z.object({
        name: z.string().min(1),
        codecs: z.string().min(1),
        segments: z.array(
          z.object({ ...stored, durationSeconds, frames: z.number().int().min(0) }),
        ),
      }),
    ),
  }),
  z.object({
    kind: z.literal('audio'),
    ...common,
    codecs: z.string().min(1),
    segments: z.array(z.object({ ...stored, durationSeconds })),
  }),
  z.object({
    kind: z.literal('images'),
    ...common,
    files: z.array(z.object({ name: z.string().min(1), ...stored })),
  }),
]);

/** Reads a marker back from the store. Throws ZodError, which names every field that is wrong. */
export function parseMarker(json: unknown): Marker {
  return markerSchema.parse(json);
}
