import { RejectedError } from '../errors.ts';
import { hasFalseEdits, requireOneClock, settleDuration } from '../plan/duration.ts';
import { isUnsettled } from '../plan/frame-rate.ts';
import { framePlaces, withFrames } from '../plan/frames.ts';
import type { SourceFrame } from '../plan/frames.ts';
import { PacketSurvey } from '../plan/packets.ts';
import type { SourcePacket } from '../plan/packets.ts';
import { hasUnseen, parseProbe, soundUnrecognised, withPace } from '../plan/source.ts';
import type {
  Opening,
  PictureWanted,
  SourceLimits,
  SourceMedia,
  SourceVideo,
} from '../plan/source.ts';
import { readDeclared, readFrames, readPackets } from './ffprobe.ts';
import type { ProbedSource } from './ffprobe.ts';

type Source = Omit<ProbedSource, 'opening' | 'sizeBytes'>;

export interface ProbeRequest extends Source {
  readonly sizeBytes: number;
  readonly limits: SourceLimits;
  readonly picture: PictureWanted;
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
    throw new RejectedError('empty_source', 'The file is empty. Upload it again.');
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
  const { unheard, longestSeconds: _, ...said } = declared;
  if (unheard.some((stream) => packets.has(stream))) throw soundUnrecognised();
  const media = { ...said, opening, ...settleDuration(declared, packets.range, limits) };
  if (!media.video) return media;
  const video = withFrames(media.video, await lookAtFrames(request, media, media.video), limits);
  if (!isUnsettled(video.rates)) return { ...media, video };
  const paces = [packets.pace ?? 0, (await survey(START_WINDOW)).pace ?? 0];
  return { ...media, video: withPace(video, Math.max(...paces)) };
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

/**
 * Containers whose index leads to the key frame before any moment. In a transport stream a seek can
 * land between key frames, and in Matroska it fails before the first one.
 */
const SEEKABLE = /^mov/;

/** How far back a key frame is looked for, one step after the other. */
const SEEK_WINDOWS_SECONDS = [15, 60, 240];

/**
 * Where to seek, in seconds from the container's first timestamp, so that the picture is whole at
 * `seconds` of the asset; undefined to decode from the start.
 */
export async function findSeek(
  source: Source,
  media: SourceMedia,
  seconds: number,
): Promise<number | undefined> {
  const { demuxer, video, opening, sizeBytes, startSeconds } = media;
  if (seconds <= 0 || !video) return undefined;
  if (SEEKABLE.test(demuxer)) return seconds;
  const wanted = startSeconds + seconds;
  for (const window of SEEK_WINDOWS_SECONDS) {
    if (window >= seconds) return undefined;
    // ffprobe's intervals are absolute timestamps; a leading sign would make them relative.
    const interval = [wanted - window, wanted].map((at) => Math.max(0, at).toFixed(6)).join('%');
    let key: number | undefined;
    const take = (packet: SourcePacket) => {
      if (packet.key && packet.pts <= wanted) key = packet.pts;
    };
    await readPackets(
      { ...source, opening, sizeBytes },
      [video.index],
      interval,
      TIME_LIMIT_SECONDS,
      take,
    );
    if (key !== undefined) return Math.max(0, key - startSeconds - seekMargin(media));
  }
  return undefined;
}

/**
 * Seconds by which a seek asks for more: without an index it can land behind the packet that is
 * wanted. Matroska has one, and there a seek to before the first key frame fails.
 */
function seekMargin({ demuxer }: SourceMedia): number {
  return demuxer.startsWith('matroska') ? 0 : 1;
}
