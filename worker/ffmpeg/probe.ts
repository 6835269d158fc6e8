import { buffer } from 'node:stream/consumers';
import { RejectedError } from '../../core/model/errors.ts';
import { hasIndex } from '../plan/demuxers.ts';
import {
  fromFirstPicture,
  hasFalseEdits,
  requireOneClock,
  resolveDuration,
} from '../plan/duration.ts';
import {
  areProgressive,
  fieldCommands,
  mayHoldFields,
  shownFields,
  motionsIn,
} from '../plan/fields.ts';
import type { Motion } from '../plan/fields.ts';
import { needsPace } from '../plan/frame-rate.ts';
import { sampleIntervals, applyFrames } from '../plan/frames.ts';
import type { SourceFrame } from '../plan/frames.ts';
import { probeLimits } from '../plan/limits.ts';
import type { Opening, SourceLimits, SourceMedia, SourceVideo } from '../plan/media.ts';
import { PacketSurvey } from '../plan/packets.ts';
import { steadyStart } from '../plan/phase.ts';
import type { Plan } from '../plan/plan.ts';
import { seekCandidates } from '../plan/seek.ts';
import { needsDeepProbe, parseProbe, soundUnrecognised, applyPace } from '../plan/source.ts';
import type { PictureWanted } from '../plan/source.ts';
import { readDeclared, readFrames, readPackets } from './ffprobe.ts';
import type { DecodedFrame, ProbedSource } from './ffprobe.ts';
import { runReader } from './reader.ts';

type Source = Omit<ProbedSource, 'opening' | 'sizeBytes'>;

export interface ProbeRequest extends Source {
  readonly sizeBytes: number;
  readonly limits: SourceLimits;
  readonly picture: PictureWanted;
  /** The path or name of the program. */
  readonly ffmpeg: string;
}

/** A source that takes longer to probe is hostile or broken. */
const TIME_LIMIT_SECONDS = 60;

/** The limit for reading a whole file, if its header is wrong: a quarter of an hour, or 10 MB/s for a longer one. */
const WHOLE_FILE = { seconds: 900, bytesPerSecond: 10e6 };

/**
 * The real end of a source is looked for from this far before its declared end, and its frame rate in this much of its
 * start.
 */
const WINDOW_SECONDS = 15;
const START_WINDOW = `%+${WINDOW_SECONDS}`;

/**
 * Longer than any source. ffprobe does not initialise the end of an interval that has none: `parse_read_interval` in
 * https://github.com/FFmpeg/FFmpeg/blob/master/fftools/ffprobe.c
 */
const TO_THE_END_SECONDS = 1e6;

/**
 * Finds out what a source holds and where its packets really end. Throws RejectedError if it can never become an asset,
 * and TransientError if its address failed.
 */
export async function probeSource(request: ProbeRequest): Promise<SourceMedia> {
  const { sizeBytes, limits } = request;
  if (sizeBytes === 0) throw new RejectedError('empty_source');
  if (sizeBytes > limits.maxSizeBytes) {
    const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
    throw new RejectedError(
      'source_too_large',
      `The file has ${gib(sizeBytes)} GiB; at most ${gib(limits.maxSizeBytes)} are taken.`,
    );
  }
  const seen = await inspect(request, { ignoreEdits: false });
  const { opening, declared, packets, survey } = hasFalseEdits(seen.declared, seen.packets)
    ? await inspect(request, { ignoreEdits: true })
    : seen;
  requireOneClock(packets, declared.startSeconds);
  const { unidentifiedAudio, longestSeconds: _, soundSeconds, ...said } = declared;
  if (unidentifiedAudio.some((stream) => packets.has(stream))) throw soundUnrecognised();
  const media = { ...said, opening, ...resolveDuration(declared, packets.range, limits) };
  if (!media.video) return media;
  const frames = await readSampleFrames(request, media, media.video);
  const framed = applyFrames(media.video, frames, limits);
  const paces = needsPace(framed.rates)
    ? [packets.pace ?? 0, (await survey(START_WINDOW)).pace ?? 0]
    : [];
  const paced = paces.length > 0 ? applyPace(framed, Math.max(...paces)) : framed;
  const video = { ...paced, ...(await detectFields(request, { ...media, video: paced }, frames)) };
  const source = { ...request, opening };
  const [first = media.startSeconds, ...next] = await readTimes(
    source,
    video,
    FIRST_PICTURES,
    false,
  );
  const pictureSeconds = steadyStart([first, ...next], video.rates);
  return { ...media, video, pictureSeconds, ...fromFirstPicture(media, first, soundSeconds) };
}

/** Reads frames at several places of the source. The units report what cannot be decoded. */
async function readSampleFrames(
  request: ProbeRequest,
  media: SourceMedia,
  { index, display: size }: SourceVideo,
): Promise<readonly SourceFrame[]> {
  const indexed = hasIndex(media.demuxer);
  const frames: SourceFrame[] = [];
  try {
    await readFrames(
      { ...request, opening: media.opening },
      { index, size, keyFramesOnly: !indexed },
      sampleIntervals(media, indexed),
      WHOLE_FILE.seconds,
      (frame) => frames.push(frame),
    );
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
  }
  return frames;
}

/** Detects interlacing from pictures at several places, if the frames declare none. */
async function detectFields(
  { address, sizeBytes, ffmpeg, signal }: ProbeRequest,
  media: SourceMedia & { readonly video: SourceVideo },
  [frame]: readonly SourceFrame[],
): Promise<ReturnType<typeof shownFields>> {
  const lines = frame?.coded.height ?? 0;
  if (!mayHoldFields(media.video, lines)) return undefined;
  const limitSeconds = WHOLE_FILE.seconds;
  const limits = probeLimits(sizeBytes, limitSeconds, media.video.display);
  const motions: Motion[] = [];
  const commands = fieldCommands(media, address, lines);
  for (const [place, argv] of commands.entries()) {
    if (areProgressive(motions, commands.length - place)) break;
    const run = { name: 'ffmpeg', program: ffmpeg, argv, limits, limitSeconds, signal } as const;
    try {
      await runReader(run, async (stdout) => {
        motions.push(...motionsIn(await buffer(stdout), lines));
      });
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
    }
  }
  return shownFields(motions);
}

/**
 * The packets that are decoded to find the times of the first pictures: more than H.264 and HEVC can reorder or skip
 * before the first key frame.
 */
const FIRST_PICTURES = '%+#40';

/** Reads what the container declares, and surveys its packets. */
async function inspect(request: ProbeRequest, edits: Pick<Opening, 'ignoreEdits'>) {
  const { sizeBytes, limits, picture } = request;
  const { opening, json } = await readStreams(request, edits);
  const declared = parseProbe(json, sizeBytes, limits, picture);
  const { demuxer, video, audio, unidentifiedAudio, startSeconds = 0, durationSeconds } = declared;
  const streams = [
    ...(video ? [video.index] : []),
    ...audio.flatMap((sound) => sound.streams.map(({ index }) => index)),
    ...unidentifiedAudio,
  ];
  const limitSeconds = Math.max(WHOLE_FILE.seconds, sizeBytes / WHOLE_FILE.bytesPerSecond);
  const survey = async (interval: string) => {
    const packets = new PacketSurvey(video?.index);
    await readPackets({ ...request, opening }, streams, interval, limitSeconds, (packet) =>
      packets.add(packet),
    );
    return packets;
  };
  const packets =
    durationSeconds === undefined || !hasIndex(demuxer)
      ? await survey('')
      : await surveyEnd(survey, startSeconds, durationSeconds);
  return { opening, declared, packets, survey };
}

/** Reads what the container declares. If streams begin late, reads a longer part of the source. */
async function readStreams(
  request: ProbeRequest,
  edits: Pick<Opening, 'ignoreEdits'>,
): Promise<{ opening: Opening; json: unknown }> {
  const read = async (deepProbe: boolean) => {
    const opening = { late: deepProbe, ...edits };
    return { opening, json: await readDeclared({ ...request, opening }, TIME_LIMIT_SECONDS) };
  };
  const first = await read(false);
  return needsDeepProbe(first.json) ? read(true) : first;
}

type Survey = (interval: string) => Promise<PacketSurvey>;

/** Surveys the packets from shortly before the declared end, or all packets if there are none, to find the real end. */
async function surveyEnd(survey: Survey, start: number, declared: number): Promise<PacketSurvey> {
  const from = start + declared - WINDOW_SECONDS;
  if (from <= start || from <= 0) return survey('');
  const end = await survey(`${from.toFixed(6)}%+${TO_THE_END_SECONDS}`);
  return end.range ? end : survey('');
}

/**
 * Where to seek, on the container's clock, so that decoding is complete at a frame of the grid; undefined to decode
 * from the start. The decoder decides, as containers declare false key frames and seek to other positions than their
 * index says.
 */
export async function findSeek(
  source: Source,
  plan: Pick<Plan, 'media' | 'grid' | 'originSeconds'>,
  firstFrame: number,
): Promise<number | undefined> {
  const { video, opening, sizeBytes } = plan.media;
  if (!video) return undefined;
  for (const { from, latest } of seekCandidates(plan, firstFrame)) {
    const interval = `${from.toFixed(6)}%${latest.toFixed(6)}`;
    const keys = await readTimes({ ...source, opening, sizeBytes }, video, interval, true);
    if (keys.some((seconds) => seconds <= latest)) return from;
  }
  return undefined;
}

/**
 * The presentation times of the pictures, or of the key frames, in an interval. Empty if the seek fails, as in Matroska
 * before the first picture.
 */
async function readTimes(
  source: ProbedSource,
  { index, display: size }: SourceVideo,
  interval: string,
  keyFramesOnly: boolean,
): Promise<readonly number[]> {
  const times: number[] = [];
  const take = ({ seconds, key }: DecodedFrame) => {
    // Some decoders ignore -skip_frame.
    if (Number.isFinite(seconds) && (key || !keyFramesOnly)) times.push(seconds);
  };
  try {
    await readFrames(source, { index, size, keyFramesOnly }, interval, WHOLE_FILE.seconds, take);
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
  }
  return times;
}
