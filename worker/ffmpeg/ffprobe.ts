import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inputOptions } from '../plan/encode.ts';
import type { SourceFrame } from '../plan/frames.ts';
import { parseSampleAspect } from '../plan/geometry.ts';
import { probeLimits } from '../plan/limits.ts';
import type { Opening, Size } from '../plan/media.ts';
import type { SourcePacket } from '../plan/packets.ts';
import { encrypted } from '../plan/signature.ts';
import { isTransparent } from '../plan/source.ts';
import { runReader } from './reader.ts';

/** A source, and the program that reads it. */
export interface ProbedSource {
  /** A path or a loopback URL. */
  readonly address: string;
  readonly sizeBytes: number;
  readonly opening: Opening;
  /** The path or name of the program. */
  readonly ffprobe: string;
  readonly signal: AbortSignal;
}

/** ffprobe describes a thousand streams, ffmpeg's limit, in 2 MB. Tags can be of any size. */
const MAX_DECLARED_BYTES = 32e6;

/** Reads what the container declares about itself and its streams. Throws the same errors as `runReader`. */
export async function readDeclared(source: ProbedSource, limitSeconds: number): Promise<unknown> {
  const lines: string[] = [];
  const options = ['-show_format', '-show_streams', '-show_programs', '-of', 'json'];
  await run(source, options, limitSeconds, (line) => lines.push(line), {
    maxBytes: MAX_DECLARED_BYTES,
  });
  return JSON.parse(lines.join('\n'));
}

/**
 * Calls `take` with each packet of the streams, as the packets of a long file do not fit into memory. The interval has
 * ffprobe's syntax (`10%20`, `%+15`); empty reads all. Throws RejectedError for encrypted packets, and the same errors
 * as `runReader`.
 */
export async function readPackets(
  source: ProbedSource,
  streams: readonly number[],
  interval: string,
  limitSeconds: number,
  take: (packet: SourcePacket) => void,
): Promise<void> {
  const options = [
    '-show_entries',
    'packet=stream_index,pts_time,dts_time,duration_time,flags:packet_side_data=side_data_type',
    ...(interval ? ['-read_intervals', interval] : []),
    ...['-of', 'compact=print_section=0'],
  ];
  const found = { encryption: false };
  await run(source, options, limitSeconds, (line) => {
    const packet = parsePacket(line);
    if (!streams.includes(packet.stream) || !Number.isFinite(packet.pts)) return;
    found.encryption ||= ENCRYPTION_INFO.test(line);
    take(packet);
  });
  if (found.encryption) throw encrypted();
}

/** ffprobe 7 puts the name of the section before that of the field: `|side_datum/encryption_info:side_data_type=…`. */
const ENCRYPTION_INFO = /[|:]side_data_type=Encryption /;

export interface DecodedFrame extends SourceFrame {
  /** Presentation time on the container's clock; NaN if unknown. */
  readonly seconds: number;
  /** A key frame according to the decoder, whatever the container says. */
  readonly key: boolean;
}

export interface FrameQuery {
  /** The index of the stream. */
  readonly index: number;
  /** The memory limit of the decoder follows from it. */
  readonly size: Size;
  readonly keyFramesOnly: boolean;
}

/** Calls `take` with each decoded frame of the intervals. Throws the same errors as `runReader`. */
export async function readFrames(
  source: ProbedSource,
  { index, size, keyFramesOnly }: FrameQuery,
  intervals: string,
  limitSeconds: number,
  take: (frame: DecodedFrame) => void,
): Promise<void> {
  const fields =
    'key_frame,best_effort_timestamp_time,width,height,pix_fmt,sample_aspect_ratio,interlaced_frame,top_field_first';
  const options = [
    ...['-threads', '1', ...(keyFramesOnly ? ['-skip_frame', 'nokey'] : [])],
    ...['-select_streams', String(index), '-read_intervals', intervals],
    ...['-show_entries', `packet=flags:packet_side_data=side_data_type:frame=${fields}`],
    ...['-of', 'compact=print_section=0'],
  ];
  const found = { transparency: false };
  const onLine = (line: string) => {
    found.transparency ||= VPX_TRANSPARENCY.test(line);
    const frame = parseFrame(line);
    if (frame) take({ ...frame, alpha: frame.alpha || found.transparency });
  };
  await run(source, options, limitSeconds, onLine, { decoded: size });
}

/** The alpha of VP8 and VP9 is beside their packets; ffmpeg's own decoders ignore it. */
const VPX_TRANSPARENCY = /side_data_type=Matroska BlockAdditional/;

/** `key_frame=1|best_effort_timestamp_time=1.500000|width=640|height=360|sample_aspect_ratio=1:1|…` */
function parseFrame(line: string): DecodedFrame | undefined {
  const field = (name: string) => new RegExp(`(?:^|\\|)${name}=([^|]*)`).exec(line)?.[1];
  const coded = { width: Number(field('width')), height: Number(field('height')) };
  // Lines of side data have no size.
  if (!(coded.width > 0 && coded.height > 0)) return undefined;
  const sampleAspect = parseSampleAspect(field('sample_aspect_ratio'));
  return {
    coded,
    ...(sampleAspect ? { sampleAspect } : {}),
    seconds: Number(field('best_effort_timestamp_time') ?? Number.NaN),
    key: field('key_frame') === '1',
    interlaced: field('interlaced_frame') === '1',
    topFieldFirst: field('top_field_first') === '1',
    alpha: isTransparent(field('pix_fmt') ?? ''),
  };
}

/** `stream_index=0|pts_time=1.500000|dts_time=N/A|duration_time=0.040000|flags=K_` */
function parsePacket(line: string): SourcePacket {
  const field = (name: string) => new RegExp(`(?:^|\\|)${name}=([^|]*)`).exec(line)?.[1];
  const number = (name: string) => Number(field(name) ?? Number.NaN);
  const [pts, dts] = [number('pts_time'), number('dts_time')];
  const flags = field('flags') ?? '';
  return {
    stream: number('stream_index'),
    pts: Number.isFinite(pts) ? pts : dts,
    dts: Number.isFinite(dts) ? dts : undefined,
    duration: number('duration_time') || 0,
    key: flags.startsWith('K'),
    hidden: flags.includes('D'),
  };
}

/** Runs ffprobe, and calls `onLine` with each line of its output. Throws the same errors as `runReader`. */
async function run(
  { address, sizeBytes, opening, ffprobe, signal }: ProbedSource,
  options: readonly string[],
  limitSeconds: number,
  onLine: (line: string) => void,
  { decoded, maxBytes }: { readonly decoded?: Size; readonly maxBytes?: number } = {},
): Promise<void> {
  await runReader(
    {
      name: 'ffprobe',
      program: ffprobe,
      limitSeconds,
      signal,
      maxBytes,
      argv: ['-hide_banner', '-v', 'error', ...inputOptions({ address }, opening), ...options],
      limits: probeLimits(sizeBytes, limitSeconds, decoded),
    },
    (stdout) => once(createInterface({ input: stdout }).on('line', onLine), 'close'),
  );
}
