import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { FaultyOutputError, RejectedError } from '../../core/model/errors.ts';
import type { Decoder } from '../ffmpeg/decoder.ts';
import type { Progress } from '../ffmpeg/run.ts';
import type { SegmentFile } from '../segments.ts';
import { describeDefects } from '../plan/gate/defect.ts';
import type { Defect } from '../plan/gate/defect.ts';
import type { Marker, StoredFile, UnitKind } from '../../core/model/units.ts';
import type { Plan } from '../plan/plan.ts';
import { CONTAINER, segmentPath } from '../plan/formats.ts';
import type { Segment } from '../plan/containers/transport-stream.ts';
import type { ProgressNotes } from '../progress-notes.ts';
import { removeScratch } from '../scratch.ts';
import type { Context, Services } from '../services.ts';

/** What a unit made: its marker without what all markers have. */
export type UnitResult<Kind extends UnitKind = UnitKind> = {
  [Each in Kind]: Omit<Marker<Each>, 'unit' | 'version' | 'elapsedSeconds'>;
}[Kind];

export interface RunOptions {
  /**
   * How long ffmpeg may look at the source before its first output, beyond the usual patience: it
   * tells of no progress until all outputs have begun. At the least it decodes as fast as is watched.
   */
  readonly silentSeconds?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** A unit at work: where its source and its scratch folder are, and who is told of its progress. */
export interface Work {
  readonly services: Services;
  readonly plan: Plan;
  readonly address: string;
  readonly directory: string;
  readonly context: Context;
  run(argv: readonly string[], options?: RunOptions): Promise<void>;
  /** What ffmpeg said of damage in the source, in the runs so far. */
  damage(): string | undefined;
  decoder(argv: readonly string[]): Decoder;
  /** Puts a file of the version into the delivery bucket. */
  upload(path: string, bytes: Uint8Array, contentType?: string): Promise<StoredFile>;
  readonly notes: ProgressNotes;
}

export interface Attempt {
  readonly made: UnitResult;
  readonly defects: readonly Defect[];
}

/**
 * Makes it, in a folder of its own, and once more when it is not what was planned. When it is not then
 * either, throws RejectedError for a source that is damaged, as no two decoders make the same of that, and
 * FaultyOutputError for any other.
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
    `What ${unit} made is not what was planned, twice. ${found}`,
  );
  const said = work.damage();
  if (said === undefined) throw faulty;
  throw new RejectedError(
    'damaged_source',
    'The file is damaged: parts of it could not be decoded. Export or upload it again.',
    { cause: new Error(said, { cause: faulty }) },
  );
}

/** ffmpeg ends well when it could decode nothing: the packets are there, but no frame is in them. */
export function undecodableError(what: 'picture' | 'sound'): RejectedError {
  return new RejectedError(
    'damaged_source',
    `The file is damaged: nothing of its ${what} could be decoded. Export or upload it again.`,
  );
}

/** Uploads a segment. One that cannot be read is a defect, and is not uploaded. */
export async function uploadSegment(
  work: Work,
  { rendition, index, bytes }: SegmentFile,
  defects: Defect[],
): Promise<(StoredFile & { readonly segment: Segment }) | undefined> {
  let joined: Uint8Array;
  let segment: Segment;
  try {
    joined = CONTAINER.align(bytes);
    segment = CONTAINER.read(joined);
  } catch (error) {
    const sentence = `Segment ${index} of ${rendition}: ${String(error)}`;
    defects.push({ name: 'damaged_segment', sentence });
    return undefined;
  }
  const path = segmentPath(rendition, index);
  return { ...(await work.upload(path, joined, CONTAINER.contentType)), segment };
}
