import { RejectedError } from '../errors.ts';
import { settleDuration } from '../plan/duration.ts';
import type { PacketRange } from '../plan/duration.ts';
import { parseProbe } from '../plan/source.ts';
import type { SourceLimits, SourceMedia } from '../plan/source.ts';
import { readDeclared, readPackets } from './ffprobe.ts';
import type { ProbedSource } from './ffprobe.ts';

export interface ProbeRequest extends ProbedSource {
  readonly sizeBytes: number;
  readonly limits: SourceLimits;
  readonly soundOnly: boolean;
}

/** A source that takes longer to look at is hostile or broken. */
const TIME_LIMIT_SECONDS = 60;
/** Reading a whole file without a declared duration takes as long as its download: a quarter of an hour, or at 10 MB/s. */
const WHOLE_FILE = { seconds: 900, bytesPerSecond: 10e6 };
/** How far before its declared end a source is looked at for its real one. */
const END_WINDOW_SECONDS = 15;

/**
 * Looks at a source: what it holds, and where its packets really end. Throws RejectedError for what
 * can never become an asset, TransientError when the address failed.
 */
export async function probeSource(request: ProbeRequest): Promise<SourceMedia> {
  const { sizeBytes, limits, soundOnly } = request;
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
  const json = await readDeclared(request, TIME_LIMIT_SECONDS);
  const declared = parseProbe(json, sizeBytes, limits, soundOnly);
  const streams = [
    ...(declared.video ? [declared.video.index] : []),
    ...declared.audio.map(({ index }) => index),
  ];
  const packets =
    declared.durationSeconds === undefined
      ? await packetRange(
          request,
          streams,
          '',
          Math.max(WHOLE_FILE.seconds, sizeBytes / WHOLE_FILE.bytesPerSecond),
        )
      : await findEnd(request, streams, declared.startSeconds ?? 0, declared.durationSeconds);
  return { ...declared, ...settleDuration(declared, packets, limits) };
}

async function findEnd(
  source: ProbedSource,
  streams: readonly number[],
  start: number,
  declared: number,
): Promise<PacketRange | undefined> {
  const from = start + declared - END_WINDOW_SECONDS;
  const interval = from > start && from > 0 ? `${from.toFixed(6)}%` : '';
  // Without packets near the end the start is read, to say how much of the file there is.
  return (
    (await packetRange(source, streams, interval, TIME_LIMIT_SECONDS)) ??
    (interval
      ? await packetRange(source, streams, `%+${END_WINDOW_SECONDS}`, TIME_LIMIT_SECONDS)
      : undefined)
  );
}

async function packetRange(
  source: ProbedSource,
  streams: readonly number[],
  interval: string,
  limitSeconds: number,
): Promise<PacketRange | undefined> {
  let first = Infinity;
  let end = -Infinity;
  await readPackets(source, streams, interval, limitSeconds, ({ pts, duration }) => {
    first = Math.min(first, pts);
    end = Math.max(end, pts + duration);
  });
  return first === Infinity ? undefined : { first, end };
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
  source: ProbedSource,
  media: SourceMedia,
  seconds: number,
): Promise<number | undefined> {
  if (seconds <= 0 || !media.video) return undefined;
  if (SEEKABLE.test(media.demuxer)) return seconds;
  const wanted = media.startSeconds + seconds;
  for (const window of SEEK_WINDOWS_SECONDS) {
    if (window >= seconds) return undefined;
    // ffprobe's intervals are absolute timestamps; a leading sign would make them relative.
    const interval = [wanted - window, wanted].map((at) => Math.max(0, at).toFixed(6)).join('%');
    let key: number | undefined;
    await readPackets(source, [media.video.index], interval, TIME_LIMIT_SECONDS, (packet) => {
      if (packet.key && packet.pts <= wanted) key = packet.pts;
    });
    if (key !== undefined) return Math.max(0, key - media.startSeconds - seekMargin(media));
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
