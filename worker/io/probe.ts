import { execFile } from 'node:child_process';
import { z } from 'zod';
import { RejectedError, TransientError } from '../errors.ts';
import { redact } from '../plan/command.ts';
import { encoderFailure } from '../plan/encoder-failure.ts';
import { inputOptions } from '../plan/encode.ts';
import { parseProbe, tooLong } from '../plan/source.ts';
import type { SourceLimits, SourceMedia } from '../plan/source.ts';

export interface ProbeRequest {
  readonly address: string;
  readonly sizeBytes: number;
  readonly limits: SourceLimits;
  readonly soundOnly: boolean;
  /** The program. */
  readonly ffprobe: string;
  readonly signal: AbortSignal;
}

/** A source that takes longer to look at is hostile or broken. */
const TIME_LIMIT_SECONDS = 60;
/** Reading a whole file without a declared duration takes as long as its download. */
const WHOLE_FILE_SECONDS = 900;
/** How far before its declared end a source is looked at for its real one. */
const END_WINDOW_SECONDS = 15;
/** Headers round, and sound and picture end apart; more missing than this is a file that was cut off. */
const TOLERANCE = { seconds: 1.5, share: 0.05 };

/**
 * Looks at a source: what it holds, and where its packets really end, as headers can say anything.
 * Throws RejectedError for what can never become an asset, TransientError when the address failed.
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
  const json = await ffprobe(request, ['-show_format', '-show_streams'], TIME_LIMIT_SECONDS);
  const {
    startSeconds,
    durationSeconds: declared,
    ...media
  } = parseProbe(json, sizeBytes, limits, soundOnly);
  const streams = [
    ...(media.video ? [media.video.index] : []),
    ...media.audio.map(({ index }) => index),
  ];
  const found =
    declared === undefined
      ? await packetRange(request, streams, '', WHOLE_FILE_SECONDS)
      : await findEnd(request, streams, startSeconds ?? 0, declared);
  const start = startSeconds ?? found?.first ?? 0;
  const measured = found ? found.end - start : 0;
  if (!found || measured <= 0) throw truncated(declared ?? 0, 0);
  const missing = (declared ?? 0) - measured;
  if (missing > TOLERANCE.seconds && missing > (declared ?? 0) * TOLERANCE.share) {
    throw truncated(declared ?? 0, measured);
  }
  if (measured > limits.maxDurationSeconds) throw tooLong(measured, limits);
  const durationSeconds = round(settle(media.demuxer, declared, measured));
  return { ...media, startSeconds: start, durationSeconds };
}

/**
 * The last packet of some containers does not say how long it is shown, and an edit list can cut
 * packets off that are still in the file: there the container knows better than its packets.
 */
function settle(demuxer: string, declared: number | undefined, measured: number): number {
  if (declared === undefined) return measured;
  if (Math.abs(declared - measured) < 0.1) return declared;
  return INDEXED.test(demuxer) ? Math.min(declared, measured) : measured;
}

/** Containers that say how long they are shown, whatever packets they hold. */
const INDEXED = /^(mov|matroska)/;

/**
 * Containers whose index leads to the key frame before any moment. In a transport stream a seek can
 * land between key frames, and in Matroska it fails before the first one.
 */
const SEEKABLE = /^mov/;

/**
 * Where to seek, in seconds from the container's first timestamp, so that the picture is whole at
 * `seconds` of the asset; undefined to decode from the start.
 */
export async function findSeek(
  request: Pick<ProbeRequest, 'address' | 'ffprobe' | 'signal'>,
  media: SourceMedia,
  seconds: number,
): Promise<number | undefined> {
  if (seconds <= 0 || !media.video) return undefined;
  if (SEEKABLE.test(media.demuxer)) return seconds;
  for (const window of [15, 60, 240]) {
    const from = seconds - window;
    if (from <= 0) return undefined;
    const packets = await readPackets(
      request,
      [media.video.index],
      `${absolute(media, from)}%${absolute(media, seconds)}`,
      TIME_LIMIT_SECONDS,
    );
    const key = packets
      .filter(({ flags, pts }) => flags.startsWith('K') && pts <= media.startSeconds + seconds)
      .at(-1);
    if (key) return Math.max(0, key.pts - media.startSeconds - seekMargin(media));
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

/** ffprobe's intervals are absolute timestamps; a leading sign would make them relative. */
function absolute(media: SourceMedia, seconds: number): string {
  return Math.max(0, media.startSeconds + seconds).toFixed(6);
}

async function findEnd(
  request: ProbeRequest,
  streams: readonly number[],
  start: number,
  declared: number,
): Promise<{ readonly first: number; readonly end: number } | undefined> {
  const from = start + declared - END_WINDOW_SECONDS;
  const interval = from > start && from > 0 ? `${from.toFixed(6)}%` : '';
  // Without packets near the end a short file is read whole, to say how much of it there is.
  return (
    (await packetRange(request, streams, interval, TIME_LIMIT_SECONDS)) ??
    (interval
      ? await packetRange(request, streams, `%+${END_WINDOW_SECONDS}`, TIME_LIMIT_SECONDS)
      : undefined)
  );
}

async function packetRange(
  request: ProbeRequest,
  streams: readonly number[],
  interval: string,
  limitSeconds: number,
) {
  const packets = await readPackets(request, streams, interval, limitSeconds);
  if (packets.length === 0) return undefined;
  let first = Infinity;
  let end = -Infinity;
  for (const { pts, duration } of packets) {
    first = Math.min(first, pts);
    end = Math.max(end, pts + duration);
  }
  return { first, end };
}

interface SourcePacket {
  readonly stream: number;
  readonly pts: number;
  readonly duration: number;
  readonly flags: string;
}

const packetsSchema = z.object({
  packets: z
    .array(
      z.object({
        stream_index: z.number(),
        pts_time: z.coerce.number().optional(),
        dts_time: z.coerce.number().optional(),
        duration_time: z.coerce.number().optional(),
        flags: z.string().default(''),
      }),
    )
    .default([]),
});

async function readPackets(
  request: Pick<ProbeRequest, 'address' | 'ffprobe' | 'signal'>,
  streams: readonly number[],
  interval: string,
  limitSeconds: number,
): Promise<readonly SourcePacket[]> {
  const options = ['-show_entries', 'packet=stream_index,pts_time,dts_time,duration_time,flags'];
  const where = interval ? ['-read_intervals', interval] : [];
  const { packets } = packetsSchema.parse(
    await ffprobe(request, [...options, ...where], limitSeconds),
  );
  return packets
    .filter(({ stream_index }) => streams.includes(stream_index))
    .map(({ stream_index, pts_time, dts_time, duration_time, flags }) => ({
      stream: stream_index,
      pts: pts_time ?? dts_time ?? Number.NaN,
      duration: duration_time ?? 0,
      flags,
    }))
    .filter(({ pts }) => Number.isFinite(pts));
}

function truncated(declared: number, measured: number): RejectedError {
  return new RejectedError(
    'truncated_source',
    `The file is cut off: it says that it lasts ${declared.toFixed(1)} s, but ends after ${Math.max(0, measured).toFixed(1)} s. Upload it again.`,
  );
}

async function ffprobe(
  { address, ffprobe: program, signal }: Pick<ProbeRequest, 'address' | 'ffprobe' | 'signal'>,
  options: readonly string[],
  limitSeconds: number,
): Promise<unknown> {
  const argv = [
    '-hide_banner',
    '-v',
    'error',
    ...inputOptions({ address }),
    '-of',
    'json',
    ...options,
  ];
  const text = await new Promise<string>((resolve, reject) => {
    execFile(
      program,
      argv,
      { signal, timeout: limitSeconds * 1000, killSignal: 'SIGKILL', maxBuffer: 2 ** 29 },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        if (signal.aborted) return reject(signal.reason as Error);
        if (error.code === 'ENOENT') {
          const missing = 'ffprobe is not installed. Run ./scripts/setup, or install ffmpeg.';
          return reject(new Error(missing));
        }
        if (error.killed) {
          return reject(new TransientError(`ffprobe did not end within ${limitSeconds} s.`));
        }
        const exitCode = typeof error.code === 'number' ? error.code : undefined;
        const killed = error.signal ?? undefined;
        reject(
          encoderFailure({ program: 'ffprobe', exitCode, signal: killed, stderr: redact(stderr) }),
        );
      },
    );
  });
  return JSON.parse(text);
}

/** Microseconds are what containers know; more digits are noise of the arithmetic. */
function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
