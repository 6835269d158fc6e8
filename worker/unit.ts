import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { FaultyOutputError, PoisonError, RejectedError } from '../core/model/errors.ts';
import { Decoder } from './ffmpeg/decoder.ts';
import { writeDocument } from '../core/storage/documents.ts';
import { runFfmpeg } from './ffmpeg/run.ts';
import type { Progress } from './ffmpeg/run.ts';
import { makeImages } from './ffmpeg/images.ts';
import { findSeek } from './ffmpeg/probe.ts';
import { makeFolders, takeSegments } from './segments.ts';
import type { SegmentFile } from './segments.ts';
import { readLevels, readShown, readWitness } from './ffmpeg/witness.ts';
import { audioCommand, KEYS_COMMAND, LEVELS_COMMAND, videoCommand } from './plan/encode.ts';
import { describeDefects } from './plan/gate/defect.ts';
import type { Defect } from './plan/gate/defect.ts';
import { checkImages } from './plan/gate/images.ts';
import { checkColors, checkDecoding, checkKeys, checkTimeline } from './plan/gate/pictures.ts';
import type { DecodedKey } from './plan/gate/pictures.ts';
import { checkLevels, parseLevels } from './plan/gate/sound.ts';
import { checkSegments, checkTrack, frameAt } from './plan/gate/structure.ts';
import type { ReadAudio, ReadVideo } from './plan/gate/structure.ts';
import { tinyAt } from './plan/gate/witness.ts';
import { frameSeconds } from './plan/grid.ts';
import { imagesDecoder } from './plan/encode-images.ts';
import { readMarker } from './markers.ts';
import { deliveryHeaders, imagePath, jobKeys, versionKey } from '../core/model/keys.ts';
import { unitLimits } from './plan/limits.ts';
import { parseMarker } from './plan/marker.ts';
import type { Marker, SegmentFacts, StoredFile } from './plan/marker.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan, Unit } from './plan/plan.ts';
import { AUDIO_FRAME_SECONDS, CONTAINER, segmentPath } from './plan/formats.ts';
import type { Segment } from './plan/containers/transport-stream.ts';
import { openProgressNotes } from './progress-notes.ts';
import type { ProgressNotes } from './progress-notes.ts';
import { removeScratch } from './scratch.ts';
import type { Context, Services } from './services.ts';
import { requireSource, withSource } from './source.ts';

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
  /** What ffmpeg said of damage in the source, in the runs so far. */
  damage(): string | undefined;
  decoder(argv: readonly string[]): Decoder;
  /** Puts a file of the version into the delivery bucket. */
  upload(path: string, bytes: Uint8Array, contentType?: string): Promise<StoredFile>;
  readonly notes: ProgressNotes;
}

/**
 * Makes what a unit owes and marks it as done; nothing when it is done already. The same bytes go to
 * the same keys however often this runs. Throws what worker/plan/outcome.ts understands.
 */
export async function encodeUnit(
  services: Services,
  plan: Plan,
  name: string,
  context: Context,
): Promise<void> {
  const { store, config, scratch } = services;
  const { log } = context;
  const unit = plan.units.find((one) => one.name === name);
  if (!unit) {
    log.info({ event: 'unit.unneeded', reason: 'the job was planned again without it' });
    return;
  }
  if (await readMarker(services, plan, name)) {
    log.info({ event: 'unit.known' });
    return;
  }
  const { sizeBytes } = await requireSource(store, plan.source);
  const started = performance.now();
  const version = planVersion(plan);
  const directory = await mkdtemp(join(scratch, `${name}-`));
  const ended = new AbortController();
  const limits = unitLimits(plan, unit);
  const notes = openProgressNotes(services, plan.jobId, name, context);
  let damage: string | undefined;
  const workOn = (address: string, signal: AbortSignal): Work => ({
    ...{ services, plan, address, directory, notes },
    context: { log, signal },
    run: async (argv, { silentSeconds = 0, onProgress } = {}) => {
      const said = await runFfmpeg({
        ...{ argv, signal, log },
        ffmpeg: config.FFMPEG,
        limits,
        stallSeconds: config.STALL_SECONDS + silentSeconds,
        ...(onProgress ? { onProgress } : {}),
      });
      damage ??= said;
    },
    damage: () => damage,
    decoder: (argv) =>
      new Decoder({
        ...{ ffmpeg: config.FFMPEG, argv, limits },
        signal: AbortSignal.any([signal, ended.signal]),
      }),
    upload: async (path, bytes, contentType) => {
      const key = versionKey(plan.assetId, version, path);
      await store.put(config.DELIVERY_BUCKET, key, bytes, deliveryHeaders(key, contentType));
      return { bytes: bytes.length, md5: createHash('md5').update(bytes).digest('hex') };
    },
  });
  log.info({ event: 'unit.started' });
  try {
    const reading = { store, source: plan.source, sizeBytes, signal: context.signal };
    const made = await withSource(reading, (address, signal) =>
      makeUnit(workOn(address, signal), unit),
    );
    // What was replaced meanwhile was read in part.
    await requireSource(store, plan.source);
    const elapsedSeconds = (performance.now() - started) / 1000;
    const marker: Marker = { ...made, unit: name, version, elapsedSeconds };
    const key = jobKeys(plan.jobId).marker(name);
    await writeDocument(store, config.WORK_BUCKET, key, marker, parseMarker);
    log.info({ event: 'unit.done', elapsedSeconds });
  } finally {
    ended.abort();
    // Before anybody looks whether the job is still there.
    await notes.end();
    await removeScratch(directory, log);
  }
}

type Made =
  | Omit<Extract<Marker, { kind: 'video' }>, 'unit' | 'version' | 'elapsedSeconds'>
  | Omit<Extract<Marker, { kind: 'audio' }>, 'unit' | 'version' | 'elapsedSeconds'>
  | Omit<Extract<Marker, { kind: 'images' }>, 'unit' | 'version' | 'elapsedSeconds'>;

function makeUnit(work: Work, unit: Unit): Promise<Made> {
  switch (unit.kind) {
    case 'video':
      return makeChunk(work, unit);
    case 'audio':
      return makeTrack(work, unit);
    case 'images':
      return makePictures(work, unit);
  }
}

async function makeChunk(work: Work, unit: UnitOf<'video'>): Promise<Made> {
  const { services, plan, context, notes } = work;
  const { grid, media, originSeconds } = plan;
  const startSeconds = originSeconds + frameSeconds(grid, unit.firstFrame);
  const names = plan.renditions.map(({ name }) => name);
  return withoutDefects(work, unit.name, async (directory, again) => {
    const { address } = work;
    const source = { address, ffprobe: services.config.FFPROBE, signal: context.signal };
    // The second time nothing is taken on trust, the source's index neither.
    const seekSeconds = again ? undefined : await findSeek(source, plan, unit.firstFrame);
    await makeFolders(directory, names);
    await work.run(videoCommand(plan, unit, { address, seekSeconds, directory }), {
      silentSeconds: startSeconds - (seekSeconds ?? media.startSeconds),
      onProgress: ({ frames }) => notes.note(frames / unit.frames),
    });
    const decoder = work.decoder(KEYS_COMMAND);
    const keys: Omit<DecodedKey, 'picture'>[] = [];
    const renditions = [];
    const defects: Defect[] = [];
    for (const rendition of plan.renditions) {
      const { name } = rendition;
      const segments = [];
      const read: ReadVideo[] = [];
      for await (const file of takeSegments(directory, name, unit.firstSegment, true)) {
        const uploaded = await uploadSegment(work, file, defects);
        if (uploaded?.segment.kind !== 'video') continue;
        const { segment, ...stored } = uploaded;
        const { pictures, ...rest } = segment;
        read.push({
          ...rest,
          pictures: pictures.map(({ data, ...one }) => ({ ...one, bytes: data.length })),
        });
        // Each costs a large rendition 15 ms, and one tells a segment from any other.
        const first = pictures.find(({ key }) => key);
        if (first) {
          keys.push({ rendition: name, frame: frameAt(grid, first.pts) - unit.firstFrame });
          await decoder.write(first.data);
        }
        const durationSeconds = frameSeconds(grid, pictures.length);
        segments.push({ ...stored, frames: pictures.length, durationSeconds });
      }
      if (segments.length === 0 && defects.length === 0) throw undecodable('picture');
      defects.push(...checkSegments(plan, unit, rendition, read));
      renditions.push({ name, codecs: read[0]?.sequence.codecs ?? '', segments });
    }
    const witness = { ...(await readWitness(directory)), sought: seekSeconds !== undefined };
    defects.push(...checkTimeline(plan, unit, witness), ...checkColors(plan, unit, witness));
    const { output, errors } = await decoder.end();
    const decoded = keys.map((key, index) => ({ ...key, picture: tinyAt(output, index) }));
    defects.push(...checkKeys(plan, unit, witness, decoded), ...checkDecoding(errors));
    return { made: { kind: 'video', renditions }, defects };
  });
}

interface Attempt {
  readonly made: Made;
  readonly defects: readonly Defect[];
}

/**
 * Makes it, in a folder of its own, and once more when it is not what was planned. When it is not then
 * either, throws RejectedError for a source that is damaged, as no two decoders make the same of that, and
 * FaultyOutputError for any other.
 */
async function withoutDefects(
  work: Work,
  unit: string,
  make: (directory: string, again: boolean) => Promise<Attempt>,
): Promise<Made> {
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

async function makeTrack(work: Work, unit: UnitOf<'audio'>): Promise<Made> {
  const { plan, address, notes } = work;
  const track = plan.audio.find(({ name }) => name === unit.track);
  if (!track) throw new PoisonError(`Job ${plan.jobId} has no track ${unit.track}.`);
  return withoutDefects(work, unit.name, async (directory) => {
    await makeFolders(directory, [track.name]);
    const decoder = work.decoder(LEVELS_COMMAND);
    const segments: SegmentFacts[] = [];
    const read: ReadAudio[] = [];
    const defects: Defect[] = [];
    let taken = 0;
    const take = async (all: boolean) => {
      for await (const file of takeSegments(directory, track.name, taken, all)) {
        taken += 1;
        const uploaded = await uploadSegment(work, file, defects);
        if (uploaded?.segment.kind !== 'audio') continue;
        const { segment, ...stored } = uploaded;
        const { frames, ...rest } = segment;
        for (const { data } of frames) await decoder.write(data);
        read.push({ ...rest, times: frames.map(({ pts }) => pts) });
        segments.push({ ...stored, durationSeconds: frames.length * AUDIO_FRAME_SECONDS });
      }
    };
    // Finished segments leave the disk while the next ones are made, one batch at a time.
    let taking: Promise<void> | undefined;
    let failure: unknown;
    await work.run(audioCommand(plan, track, { address, directory }), {
      onProgress: ({ outSeconds }) => {
        notes.note(outSeconds / plan.durationSeconds);
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
    if (segments.length === 0 && defects.length === 0) throw undecodable('sound');
    const { output, errors } = await decoder.end();
    const witness = {
      ...(await readLevels(directory, track)),
      decoded: parseLevels(output.toString()),
    };
    defects.push(
      ...checkTrack(plan, track, read),
      ...checkLevels(track, witness),
      ...checkDecoding(errors),
    );
    return { made: { kind: 'audio', codecs: read[0]?.codecs ?? '', segments }, defects };
  });
}

async function makePictures(work: Work, unit: UnitOf<'images'>): Promise<Made> {
  const { plan, address } = work;
  return withoutDefects(work, unit.name, async (directory) => {
    const decoder = work.decoder(imagesDecoder(plan.images));
    const files = [];
    const jpegs = [];
    const run = (argv: readonly string[]) => work.run(argv);
    for await (const image of makeImages(plan, { address, directory }, run)) {
      const { name, bytes } = image;
      files.push({ name, ...(await work.upload(imagePath(name), bytes)) });
      if (!name.endsWith('.jpg')) continue;
      jpegs.push(image);
      await decoder.write(bytes);
    }
    const { output, errors } = await decoder.end();
    const defects = [
      ...checkImages(plan, jpegs, await readShown(directory), output),
      ...checkDecoding(errors, 'damaged_image'),
    ];
    return { made: { kind: 'images', files }, defects };
  });
}

/** ffmpeg ends well when it could decode nothing: the packets are there, but no frame is in them. */
function undecodable(what: 'picture' | 'sound'): RejectedError {
  return new RejectedError(
    'damaged_source',
    `The file is damaged: nothing of its ${what} could be decoded. Export or upload it again.`,
  );
}

/** Uploads a segment. One that cannot be read is a defect, and is not uploaded. */
async function uploadSegment(
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
