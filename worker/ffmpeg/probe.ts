import { buffer } from 'node:stream/consumers';
import { RejectedError } from '../../core/model/errors.ts';
import {
  fromFirstPicture,
  hasFalseEdits,
  requireOneClock,
  settleDuration,
} from '../plan/duration.ts';
import { isUnsettled } from '../plan/frame-rate.ts';
import { areWhole, fieldCommands, mayHoldFields, shownFields, stepsIn } from '../plan/fields.ts';
import type { Step } from '../plan/fields.ts';
import { framePlaces, withFrames } from '../plan/frames.ts';
import type { SourceFrame } from '../plan/frames.ts';
import { frameSeconds } from '../plan/grid.ts';
import { probeLimits } from '../plan/limits.ts';
import { PacketSurvey } from '../plan/packets.ts';
import { steadyStart } from '../plan/phase.ts';
import type { Plan } from '../plan/plan.ts';
import { hasUnseen, parseProbe, soundUnrecognised, withPace } from '../plan/source.ts';
import type {
  Opening,
  PictureWanted,
  SourceLimits,
  SourceMedia,
  SourceVideo,
} from '../plan/source.ts';
import { runReader } from './reader.ts';
import { readDeclared, readFrames, readPackets } from './ffprobe.ts';
import type { DecodedFrame, ProbedSource } from './ffprobe.ts';

type Source = Omit<ProbedSource, 'opening' | 'sizeBytes'>;

export interface ProbeRequest extends Source {
  readonly sizeBytes: number;
  readonly limits: SourceLimits;
  readonly picture: PictureWanted;
  /** The program. */
  readonly ffmpeg: string;
}

/** A source that takes longer to look at is hostile or broken. */
const TIME_LIMIT_SECONDS = 60;
/** Reading a file to its end, where its header is wrong, takes as long as its download: a quarter of an hour, or at 10 MB/s. */
const WHOLE_FILE = { seconds: 900, bytesPerSecond: 10e6 };
/** How far before its declared end a source is looked at for its real one, and how far from its start for its pace. */
const WINDOW_SECONDS = 15;
const START_WINDOW = `%+${WINDOW_SECONDS}`;
/**
 * Longer than any source. An interval without an end has whatever end is in memory, as ffprobe does not
 * clear it: `parse_read_interval` in https://github.com/FFmpeg/FFmpeg/blob/master/fftools/ffprobe.c
 */
const TO_THE_END_SECONDS = 1e6;
/** Containers without an index: what they hold, and whether their clock goes on, shows only at their end. */
const UNINDEXED = /^mpeg(ts)?$/;

/**
 * Looks at a source: what it holds, and where its packets really end. Throws RejectedError for what
 * can never become an asset, TransientError when the address failed.
 */
export async function probeSource(request: ProbeRequest): Promise<SourceMedia> {
  const { sizeBytes, limits } = request;
  if (sizeBytes === 0) {
    throw new RejectedError('empty_source');
  }
  if (sizeBytes > limits.maxSizeBytes) {
    const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(1);
    throw new RejectedError(
      'source_too_large',
      `The file has ${gib(sizeBytes)} GiB; at most ${gib(limits.maxSizeBytes)} are taken.`,
    );
  }
  const seen = await look(request, { ignoreEdits: false });
  const { opening, declared, packets, survey } = hasFalseEdits(seen.declared, seen.packets)
    ? await look(request, { ignoreEdits: true })
    : seen;
  requireOneClock(packets, declared.startSeconds);
  const { unheard, longestSeconds: _, soundSeconds, ...said } = declared;
  if (unheard.some((stream) => packets.has(stream))) throw soundUnrecognised();
  const media = { ...said, opening, ...settleDuration(declared, packets.range, limits) };
  if (!media.video) return media;
  const frames = await lookAtFrames(request, media, media.video);
  const framed = withFrames(media.video, frames, limits);
  const paces = isUnsettled(framed.rates)
    ? [packets.pace ?? 0, (await survey(START_WINDOW)).pace ?? 0]
    : [];
  const paced = paces.length > 0 ? withPace(framed, Math.max(...paces)) : framed;
  const video = { ...paced, ...(await lookAtFields(request, { ...media, video: paced }, frames)) };
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

/** Frames of several places. What cannot be decoded or sought there is for the units to find out. */
async function lookAtFrames(
  request: ProbeRequest,
  media: SourceMedia,
  { index, display: size }: SourceVideo,
): Promise<readonly SourceFrame[]> {
  const unindexed = UNINDEXED.test(media.demuxer);
  const frames: SourceFrame[] = [];
  try {
    await readFrames(
      { ...request, opening: media.opening },
      { index, size, keys: unindexed },
      framePlaces(media, !unindexed),
      WHOLE_FILE.seconds,
      (frame) => frames.push(frame),
    );
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
  }
  return frames;
}

/** The fields that pictures of several places show, where frames tell of none. */
async function lookAtFields(
  { address, sizeBytes, ffmpeg, signal }: ProbeRequest,
  media: SourceMedia & { readonly video: SourceVideo },
  [frame]: readonly SourceFrame[],
): Promise<ReturnType<typeof shownFields>> {
  const lines = frame?.coded.height ?? 0;
  if (!mayHoldFields(media.video, lines)) return undefined;
  const limitSeconds = WHOLE_FILE.seconds;
  const limits = probeLimits(sizeBytes, limitSeconds, media.video.display);
  const steps: Step[] = [];
  const commands = fieldCommands(media, address, lines);
  for (const [place, argv] of commands.entries()) {
    if (areWhole(steps, commands.length - place)) break;
    const run = { name: 'ffmpeg', program: ffmpeg, argv, limits, limitSeconds, signal } as const;
    try {
      await runReader(run, async (stdout) => {
        steps.push(...stepsIn(await buffer(stdout), lines));
      });
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
    }
  }
  return shownFields(steps);
}

/**
 * Packets that are decoded to see when the first picture is shown, and how the next ones follow: more
 * than H.264 and HEVC can reorder, or leave out before the first key frame.
 */
const FIRST_PICTURES = '%+#40';

/** What the container says, and what its packets show. */
async function look(request: ProbeRequest, edits: Pick<Opening, 'ignoreEdits'>) {
  const { sizeBytes, limits, picture } = request;
  const { opening, json } = await readStreams(request, edits);
  const declared = parseProbe(json, sizeBytes, limits, picture);
  const { demuxer, video, audio, unheard, startSeconds = 0, durationSeconds } = declared;
  const streams = [
    ...(video ? [video.index] : []),
    ...audio.flatMap((sound) => sound.streams.map(({ index }) => index)),
    ...unheard,
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
    durationSeconds === undefined || UNINDEXED.test(demuxer)
      ? await survey('')
      : await surveyEnd(survey, startSeconds, durationSeconds);
  return { opening, declared, packets, survey };
}

/** What the container says; of one whose streams begin late, after a longer look at it. */
async function readStreams(
  request: ProbeRequest,
  edits: Pick<Opening, 'ignoreEdits'>,
): Promise<{ opening: Opening; json: unknown }> {
  const read = async (late: boolean) => {
    const opening = { late, ...edits };
    return { opening, json: await readDeclared({ ...request, opening }, TIME_LIMIT_SECONDS) };
  };
  const first = await read(false);
  return hasUnseen(first.json) ? read(true) : first;
}

type Survey = (interval: string) => Promise<PacketSurvey>;

/** The packets from shortly before the declared end on; all where there are none, to say how much of the file there is. */
async function surveyEnd(survey: Survey, start: number, declared: number): Promise<PacketSurvey> {
  const from = start + declared - WINDOW_SECONDS;
  if (from <= start || from <= 0) return survey('');
  const end = await survey(`${from.toFixed(6)}%+${TO_THE_END_SECONDS}`);
  return end.range ? end : survey('');
}

/** How far back a key frame is looked for, one step after the other. */
const SEEK_STEPS_SECONDS = [0, 4, 16, 64, 256];

/**
 * Where to seek, on the container's clock, so that the picture is whole at a frame of the grid; undefined
 * to decode from the start. Containers call pictures key frames that are none, and seek to others than
 * the index says, so that the decoder is asked.
 */
export async function findSeek(
  source: Source,
  { media, grid, originSeconds }: Pick<Plan, 'media' | 'grid' | 'originSeconds'>,
  firstFrame: number,
): Promise<number | undefined> {
  const { video, opening, sizeBytes, startSeconds } = media;
  if (firstFrame === 0 || !video) return undefined;
  const wanted = originSeconds + frameSeconds(grid, firstFrame);
  // A picture is shown by the frame that is nearest to it.
  const latest = wanted + frameSeconds(grid, 1) / 2;
  for (const step of SEEK_STEPS_SECONDS) {
    const from = wanted - step;
    if (from <= startSeconds) return undefined;
    const interval = `${from.toFixed(6)}%${latest.toFixed(6)}`;
    const keys = await readTimes({ ...source, opening, sizeBytes }, video, interval, true);
    if (keys.some((seconds) => seconds <= latest)) return from;
  }
  return undefined;
}

/**
 * When the pictures of an interval are shown, in order, or those that a decoder can begin with. None where
 * the seek fails, as in Matroska before the first of them.
 */
async function readTimes(
  source: ProbedSource,
  { index, display: size }: SourceVideo,
  interval: string,
  keys: boolean,
): Promise<readonly number[]> {
  const times: number[] = [];
  const take = ({ seconds, key }: DecodedFrame) => {
    // Some decoders return all pictures though told not to.
    if (Number.isFinite(seconds) && (key || !keys)) times.push(seconds);
  };
  try {
    await readFrames(source, { index, size, keys }, interval, WHOLE_FILE.seconds, take);
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
  }
  return times;
}
