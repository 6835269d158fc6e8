import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { PoisonError, RejectedError } from './errors.ts';
import { createDocument, readDocument } from './io/documents.ts';
import { runFfmpeg } from './io/ffmpeg.ts';
import type { Progress } from './io/ffmpeg.ts';
import { makeImages } from './io/images.ts';
import { findSeek } from './io/probe.ts';
import { makeFolders, takeSegments } from './io/segments.ts';
import type { SegmentFile } from './io/segments.ts';
import { AUDIO_FRAME_SECONDS, audioCommand, videoCommand } from './plan/encode.ts';
import { frameSeconds, segmentsOf } from './plan/grid.ts';
import type { FrameRange } from './plan/grid.ts';
import { deliveryHeaders, imagePath, jobKeys, segmentPath, versionKey } from './plan/keys.ts';
import type { Marker } from './plan/marker.ts';
import { parsePlan, planVersion } from './plan/plan.ts';
import type { Plan, Unit } from './plan/plan.ts';
import { joinable, readSegment } from './plan/transport-stream.ts';
import type { Segment } from './plan/transport-stream.ts';
import { noteProgress } from './progress-notes.ts';
import { removeScratch } from './scratch.ts';
import type { Context, Services } from './services.ts';
import { addressOf, requireSource } from './source.ts';

type UnitOf<Kind extends Unit['kind']> = Extract<Unit, { kind: Kind }>;

interface RunOptions {
  /**
   * How long ffmpeg may look at the source before its first output, beyond the usual patience: it
   * tells of no progress until all outputs have begun. At the least it decodes as fast as is watched.
   */
  readonly silentSeconds?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** A unit at work: where its source and its scratch folder are, and who is told of its progress. */
interface Work {
  readonly services: Services;
  readonly plan: Plan;
  readonly address: string;
  readonly directory: string;
  readonly context: Context;
  run(argv: readonly string[], options?: RunOptions): Promise<void>;
  /** Puts a file of the version into the delivery bucket; returns its size. */
  upload(path: string, bytes: Uint8Array): Promise<number>;
}

/** The plan of a job. Throws PoisonError when there is none: the unit's message outlived its job. */
export async function readPlan({ store, config }: Services, jobId: string): Promise<Plan> {
  const plan = await readDocument(store, config.WORK_BUCKET, jobKeys(jobId).plan, parsePlan);
  if (!plan) throw new PoisonError(`Job ${jobId} has no plan: it was removed, or never made.`);
  return plan;
}

/**
 * Makes what a unit owes and marks it as done; nothing when it is done already. The same bytes go to
 * the same keys however often this runs. Throws what plan/outcome.ts understands.
 */
export async function encodeUnit(
  services: Services,
  plan: Plan,
  name: string,
  context: Context,
): Promise<void> {
  const { store, config, scratch } = services;
  const { log, signal } = context;
  const unit = plan.units.find((one) => one.name === name);
  if (!unit) throw new PoisonError(`Job ${plan.jobId} has no unit ${name}.`);
  const keys = jobKeys(plan.jobId);
  if (await store.head(config.WORK_BUCKET, keys.marker(name))) {
    log.info({ event: 'unit.known' });
    return;
  }
  await requireSource(store, plan.source);
  const started = performance.now();
  const version = planVersion(plan);
  const address = await addressOf(store, plan.source);
  const directory = await mkdtemp(join(scratch, `${name}-`));
  const work: Work = {
    ...{ services, plan, address, directory, context },
    run: (argv, { silentSeconds = 0, onProgress } = {}) =>
      runFfmpeg({
        ...{ argv, signal, log },
        ffmpeg: config.FFMPEG,
        stallSeconds: config.STALL_SECONDS + silentSeconds,
        ...(onProgress ? { onProgress } : {}),
      }),
    upload: async (path, bytes) => {
      const key = versionKey(plan.assetId, version, path);
      await store.put(config.DELIVERY_BUCKET, key, bytes, deliveryHeaders(key));
      return bytes.length;
    },
  };
  log.info({ event: 'unit.started' });
  try {
    const made = await makeUnit(work, unit);
    // What was replaced meanwhile was read in part.
    await requireSource(store, plan.source);
    const elapsedSeconds = (performance.now() - started) / 1000;
    const marker: Marker = { ...made, unit: name, elapsedSeconds };
    await createDocument(store, config.WORK_BUCKET, keys.marker(name), marker);
    log.info({ event: 'unit.done', elapsedSeconds });
  } finally {
    await removeScratch(directory, log);
  }
}

type Made =
  | Omit<Extract<Marker, { kind: 'video' }>, 'unit' | 'elapsedSeconds'>
  | Omit<Extract<Marker, { kind: 'audio' }>, 'unit' | 'elapsedSeconds'>
  | Omit<Extract<Marker, { kind: 'images' }>, 'unit' | 'elapsedSeconds'>;

function makeUnit(work: Work, unit: Unit): Promise<Made> {
  switch (unit.kind) {
    case 'video':
      return makeChunk(work, unit);
    case 'audio':
      return makeTrack(work, unit);
    case 'images':
      return makePictures(work);
  }
}

async function makeChunk(work: Work, unit: UnitOf<'video'>): Promise<Made> {
  const { services, plan, address, directory, context } = work;
  const { grid, media } = plan;
  const startSeconds = frameSeconds(grid, unit.firstFrame);
  const seekSeconds = await findSeek(
    { address, ffprobe: services.config.FFPROBE, signal: context.signal },
    media,
    startSeconds,
  );
  const names = plan.renditions.map(({ name }) => name);
  await makeFolders(directory, names);
  const note = noteProgress(services, plan.jobId, unit.name, context);
  await work.run(videoCommand(plan, unit, { address, seekSeconds, directory }), {
    silentSeconds: startSeconds - (seekSeconds ?? 0),
    onProgress: ({ frames }) => note(frames / unit.frames),
  });
  const expected: readonly FrameRange[] = segmentsOf(grid).slice(
    unit.firstSegment,
    unit.firstSegment + unit.segments,
  );
  const renditions = [];
  for (const name of names) {
    const segments: { bytes: number; frames: number; durationSeconds: number }[] = [];
    let codecs = '';
    for await (const file of takeSegments(directory, name, unit.firstSegment, true)) {
      const segment = await uploadSegment(work, file);
      const frames = expected[segments.length]?.frames ?? 0;
      if (segment.frames !== frames || !segment.startsWithKey) {
        // ffmpeg called that a success, and would on every try.
        const found = `Segment ${file.index} of ${name} has ${segment.frames} frames, not ${frames}, or begins without a key frame.`;
        throw new RejectedError(
          'unsupported_source',
          'The picture of the file cannot be processed as it is. Export it as H.264 in an MP4 file.',
          { cause: new Error(found) },
        );
      }
      codecs = segment.codecs;
      segments.push({ bytes: segment.bytes, frames, durationSeconds: frameSeconds(grid, frames) });
    }
    if (segments.length === 0) throw undecodable('picture');
    if (segments.length !== unit.segments) {
      throw new Error(
        `${unit.name} has ${segments.length} segments of ${name}, not ${unit.segments}.`,
      );
    }
    renditions.push({ name, codecs, segments });
  }
  return { kind: 'video', renditions };
}

async function makeTrack(work: Work, unit: UnitOf<'audio'>): Promise<Made> {
  const { services, plan, address, directory, context } = work;
  const track = plan.audio.find(({ name }) => name === unit.track);
  if (!track) throw new PoisonError(`Job ${plan.jobId} has no track ${unit.track}.`);
  await makeFolders(directory, [track.name]);
  const segments: { bytes: number; durationSeconds: number }[] = [];
  let codecs = '';
  const take = async (all: boolean) => {
    for await (const file of takeSegments(directory, track.name, segments.length, all)) {
      const segment = await uploadSegment(work, file);
      codecs = segment.codecs;
      segments.push({
        bytes: segment.bytes,
        durationSeconds: segment.frames * AUDIO_FRAME_SECONDS,
      });
    }
  };
  // Finished segments leave the disk while the next ones are made, one batch at a time.
  let taking: Promise<void> | undefined;
  let failure: unknown;
  const note = noteProgress(services, plan.jobId, unit.name, context);
  await work.run(audioCommand(plan, track, { address, directory }), {
    onProgress: ({ outSeconds }) => {
      note(outSeconds / plan.durationSeconds);
      taking ??= take(false)
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => {
          taking = undefined;
        });
    },
  });
  await taking;
  if (failure)
    throw failure instanceof Error ? failure : new Error('A segment could not be uploaded.');
  await take(true);
  if (segments.length === 0) throw undecodable('sound');
  const expected = segmentsOf(plan.grid).length;
  if (segments.length !== expected) {
    throw new Error(`${unit.name} has ${segments.length} segments, not ${expected}.`);
  }
  return { kind: 'audio', codecs, segments };
}

async function makePictures(work: Work): Promise<Made> {
  const { plan, address, directory } = work;
  const files = [];
  for await (const { name, bytes } of makeImages(plan, { address, directory }, (argv) =>
    // The poster is chosen from the whole source, and is the first output.
    work.run(argv, { silentSeconds: plan.durationSeconds }),
  )) {
    files.push({ name, bytes: await work.upload(imagePath(name), bytes) });
  }
  return { kind: 'images', files };
}

/** ffmpeg ends well when it could decode nothing: the packets are there, but no frame is in them. */
function undecodable(what: 'picture' | 'sound'): RejectedError {
  return new RejectedError(
    'damaged_source',
    `The file is damaged: nothing of its ${what} could be decoded. Export or upload it again.`,
  );
}

async function uploadSegment(work: Work, file: SegmentFile): Promise<Segment> {
  const bytes = joinable(file.bytes);
  await work.upload(segmentPath(file.rendition, file.index), bytes);
  return readSegment(bytes);
}
