import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { FaultyOutputError, RejectedError } from '../../core/model/errors.ts';
import type { Marker, StoredFile, UnitKind } from '../../core/model/units.ts';
import type { Decoder } from '../ffmpeg/decoder.ts';
import type { Progress } from '../ffmpeg/run.ts';
import type { Segment } from '../plan/containers/transport-stream.ts';
import { CONTAINER, segmentPath } from '../plan/formats.ts';
import { describeDefects } from '../plan/gate/defect.ts';
import type { Defect } from '../plan/gate/defect.ts';
import type { Plan } from '../plan/plan.ts';
import type { ProgressNotes } from '../progress-notes.ts';
import { removeScratch } from '../scratch.ts';
import type { SegmentFile } from '../segments.ts';
import type { Context, Services } from '../services.ts';

/** The output of a unit: its marker without the fields that all markers have. */
export type UnitResult<Kind extends UnitKind = UnitKind> = {
  [Each in Kind]: Omit<Marker<Each>, 'unit' | 'version' | 'elapsedSeconds'>;
}[Kind];

export interface RunOptions {
  /**
   * Additional time before ffmpeg counts as stalled, because it reports no progress until all outputs have begun. It is
   * the duration of the source before the first output: decoding is expected to run at least in real time.
   */
  readonly silentSeconds?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** What the maker of a unit needs. */
export interface Work {
  readonly services: Services;
  readonly plan: Plan;
  /** The source: a path, or an HTTP address on loopback. */
  readonly address: string;
  /** The scratch folder. */
  readonly directory: string;
  readonly context: Context;
  run(argv: readonly string[], options?: RunOptions): Promise<void>;
  /** ffmpeg's first message about damage in the source, from the runs so far. */
  damage(): string | undefined;
  decoder(argv: readonly string[]): Decoder;
  /** Uploads a file of the version to the delivery bucket. */
  upload(path: string, bytes: Uint8Array, contentType?: string): Promise<StoredFile>;
  readonly notes: ProgressNotes;
}

export interface Attempt {
  readonly made: UnitResult;
  readonly defects: readonly Defect[];
}

/**
 * Makes the output of a unit in a new folder, and makes it once more if it has defects. If the second one has defects
 * too, throws RejectedError for a damaged source, because decoders treat damage differently, and otherwise
 * FaultyOutputError.
 */
export async function makeWithRetry(
  work: Work,
  unit: string,
  make: (directory: string, again: boolean) => Promise<Attempt>,
): Promise<UnitResult> {
  const { directory, context } = work;
  const { log } = context;
  let found = '';
  for (const again of [false, true]) {
    const folder = await mkdtemp(join(directory, 'attempt-'));
    const { made, defects } = await make(folder, again);
    if (defects.length === 0) return made;
    found = describeDefects(defects);
    log.warn({ event: 'unit.faulty', again, defects: found });
    await removeScratch(folder, log);
  }
  const faulty = new FaultyOutputError(
    `The output of ${unit} differs from the plan, twice. ${found}`,
  );
  const damage = work.damage();
  if (damage === undefined) throw faulty;
  throw new RejectedError(
    'damaged_source',
    'The file is damaged: parts of it could not be decoded. Export or upload it again.',
    { cause: new Error(damage, { cause: faulty }) },
  );
}

/** For a source with packets but no frames that can be decoded: ffmpeg exits with 0. */
export function undecodableError(what: 'picture' | 'sound'): RejectedError {
  return new RejectedError(
    'damaged_source',
    `The file is damaged: nothing of its ${what} could be decoded. Export or upload it again.`,
  );
}

/** Uploads a segment. If it cannot be parsed, adds a defect and resolves to undefined. */
export async function uploadSegment(
  work: Work,
  { rendition, index, bytes }: SegmentFile,
  defects: Defect[],
): Promise<(StoredFile & { readonly segment: Segment }) | undefined> {
  let aligned: Uint8Array;
  let segment: Segment;
  try {
    aligned = CONTAINER.align(bytes);
    segment = CONTAINER.read(aligned);
  } catch (error) {
    const sentence = `Segment ${index} of ${rendition}: ${String(error)}`;
    defects.push({ name: 'damaged_segment', sentence });
    return undefined;
  }
  const path = segmentPath(rendition, index);
  return { ...(await work.upload(path, aligned, CONTAINER.contentType)), segment };
}
