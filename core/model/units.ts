import { z } from 'zod';
import type { Parsed } from './schema.ts';

const count = z.number().int().min(0);
const name = z.string().min(1);

/** The size of a delivered file in bytes, and its MD5 in hexadecimal. */
const stored = { bytes: count, md5: z.string().regex(/^[0-9a-f]{32}$/) };
export type StoredFile = Parsed<z.ZodObject<typeof stored>>;

const segment = z.object({ ...stored, durationSeconds: z.number().min(0) });
export type SegmentFacts = Parsed<typeof segment>;

const marked = {
  unit: name,
  /** The plan's: see planVersion. */
  version: name,
  /** Wall seconds that the unit took. */
  elapsedSeconds: z.number().min(0),
};

/**
 * The kinds of units. `names` matches the names of units in messages and keys. `cost` is a unit's share of the work on a
 * job, from its share of the frames. `unit` is its entry in a plan; `marker` is written when it is done.
 */
export const UNIT_KINDS = {
  video: {
    names: /^video-\d{5}$/,
    cost: (frames: number) => frames,
    unit: z.object({
      kind: z.literal('video'),
      name,
      firstFrame: count,
      frames: count,
      firstSegment: count,
      segments: count,
    }),
    marker: z.object({
      kind: z.literal('video'),
      ...marked,
      renditions: z.array(
        z.object({
          name,
          /** RFC 6381, from the stream: `avc1.64001f`. */
          codecs: name,
          /** One per segment of the chunk, in order. */
          segments: z.array(segment.extend({ frames: count })),
        }),
      ),
    }),
  },
  audio: {
    names: /^audio-\d{1,2}$/,
    // A hundredth of what the pictures of one rendition cost.
    cost: () => 0.01,
    unit: z.object({ kind: z.literal('audio'), name, track: name }),
    marker: z.object({
      kind: z.literal('audio'),
      ...marked,
      /** RFC 6381. */
      codecs: name,
      segments: z.array(segment),
    }),
  },
  images: {
    names: /^images$/,
    cost: () => 0.05,
    unit: z.object({ kind: z.literal('images'), name: z.literal('images') }),
    marker: z.object({
      kind: z.literal('images'),
      ...marked,
      /** By their names below the version's `images/`. */
      files: z.array(z.object({ name, ...stored })),
    }),
  },
};

export type UnitKind = keyof typeof UNIT_KINDS;
export const UNIT_KIND_NAMES = Object.keys(UNIT_KINDS) as readonly UnitKind[];

type UnitsByKind = { [Kind in UnitKind]: Parsed<(typeof UNIT_KINDS)[Kind]['unit']> };
type MarkersByKind = { [Kind in UnitKind]: Parsed<(typeof UNIT_KINDS)[Kind]['marker']> };

/** A piece of work for one message. */
export type Unit<Kind extends UnitKind = UnitKind> = UnitsByKind[Kind];

/** The record of a finished unit and its output. A unit is done when its marker exists; there is no other state. */
export type Marker<Kind extends UnitKind = UnitKind> = MarkersByKind[Kind];

const { video, audio, images } = UNIT_KINDS;
export const unitSchema = z.discriminatedUnion('kind', [video.unit, audio.unit, images.unit]);
const markerSchema = z.discriminatedUnion('kind', [video.marker, audio.marker, images.marker]);

/** Reads a stored marker. Throws ZodError, which names every wrong field. */
export function parseMarker(json: unknown): Marker {
  return markerSchema.parse(json);
}

export function isUnitName(text: string): boolean {
  return Object.values(UNIT_KINDS).some(({ names }) => names.test(text));
}
