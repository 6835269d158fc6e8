import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { inputOptions } from '../plan/encode.ts';
import type { SourceFrame } from '../plan/frames.ts';
import { parseSampleAspect } from '../plan/geometry.ts';
import { isTransparent } from '../plan/source.ts';
import { probeLimits } from '../plan/limits.ts';
import type { SourcePacket } from '../plan/packets.ts';
import type { Opening, Size } from '../plan/source.ts';
import { encrypted } from '../plan/signature.ts';
import { runReader } from './reader.ts';

/** What is looked at, and by what. */
export interface ProbedSource {
  /** A path, or an address on loopback. */
  readonly address: string;
  readonly sizeBytes: number;
  readonly opening: Opening;
  /** The program. */
  readonly ffprobe: string;
  readonly signal: AbortSignal;
}

/** A thousand streams, as many as ffmpeg takes, are described in 2 MB; tags can hold anything. */
const DECLARED_BYTES = 32e6;

/** What the container and its streams say of themselves. Throws as `run` does. */
export async function readDeclared(source: ProbedSource, limitSeconds: number): Promise<unknown> {
  const lines: string[] = [];
  const options = ['-show_format', '-show_streams', '-show_programs', '-of', 'json'];
  await run(source, options, limitSeconds, (line) => lines.push(line), {
    mostBytes: DECLARED_BYTES,
  });
  return JSON.parse(lines.join('\n'));
}

/**
 * Hands over the packets of those streams one by one, as those of a long file do not fit into
 * memory. An interval is ffprobe's own: `10%20`, `%+15`, empty for all. Throws RejectedError for
 * packets that are encrypted, and as `run` does.
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

/** ffprobe 7 puts the section before the name: `|side_datum/encryption_info:side_data_type=…`. */
const ENCRYPTION_INFO = /[|:]side_data_type=Encryption /;

export interface DecodedFrame extends SourceFrame {
  /** When it is shown, on the container's clock; NaN where that is not known. */
  readonly seconds: number;
  /** Whole by itself, as the decoder knows, whatever the container says. */
  readonly key: boolean;
}

export interface FramesWanted {
  /** Of the stream. */
  readonly index: number;
  /** For what decoding needs. */
  readonly size: Size;
  /** Key frames only. */
  readonly keys: boolean;
}

/** Hands over decoded frames of a picture at those places. Throws as `run` does. */
export async function readFrames(
  source: ProbedSource,
  { index, size, keys }: FramesWanted,
  intervals: string,
  limitSeconds: number,
  take: (frame: DecodedFrame) => void,
): Promise<void> {
  const fields =
    'key_frame,best_effort_timestamp_time,width,height,pix_fmt,sample_aspect_ratio,interlaced_frame,top_field_first';
  const options = [
    ...['-threads', '1', ...(keys ? ['-skip_frame', 'nokey'] : [])],
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

/** Beside the packets of VP8 and VP9; ffmpeg's own decoders leave it out. */
const VPX_TRANSPARENCY = /side_data_type=Matroska BlockAdditional/;

/** `key_frame=1|best_effort_timestamp_time=1.500000|width=640|height=360|sample_aspect_ratio=1:1|…` */
function parseFrame(line: string): DecodedFrame | undefined {
  const field = (name: string) => new RegExp(`(?:^|\\|)${name}=([^|]*)`).exec(line)?.[1];
  const coded = { width: Number(field('width')), height: Number(field('height')) };
  // Lines of side data have none.
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

/** Runs ffprobe, handing over its lines as they come. Throws as `runReader` does. */
async function run(
  { address, sizeBytes, opening, ffprobe, signal }: ProbedSource,
  options: readonly string[],
  limitSeconds: number,
  onLine: (line: string) => void,
  { decoded, mostBytes = Infinity }: { readonly decoded?: Size; readonly mostBytes?: number } = {},
): Promise<void> {
  await runReader(
    {
      ...{ name: 'ffprobe', program: ffprobe, limitSeconds, signal, mostBytes },
      argv: ['-hide_banner', '-v', 'error', ...inputOptions({ address }, opening), ...options],
      limits: probeLimits(sizeBytes, limitSeconds, decoded),
    },
    (stdout) => once(createInterface({ input: stdout }).on('line', onLine), 'close'),
  );
}
