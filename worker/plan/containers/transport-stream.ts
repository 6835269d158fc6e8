import { readSequence, readSlice } from '../codecs/h264.ts';
import type { Sequence, SliceHeader } from '../codecs/h264.ts';

// MPEG transport streams (ISO/IEC 13818-1) with one elementary stream: 188-byte packets, of which the PAT names the PID
// of the PMT, and the PMT names the PID of the elementary stream.

const PACKET = 188;
const PAT = 0;
const SDT = 0x11;
const STREAM_TYPES = new Map<number, 'video' | 'audio'>([
  [0x1b, 'video'],
  [0x0f, 'audio'],
]);

/** A parsed segment. Times are in ticks of 90 kHz. */
export type Segment = VideoSegment | AudioSegment;

export interface VideoSegment {
  readonly kind: 'video';
  readonly bytes: number;
  /** The sequence parameter set of the first picture. */
  readonly sequence: Sequence;
  /** In decoding order. */
  readonly pictures: readonly Picture[];
}

export interface Picture extends SliceHeader {
  readonly pts: number;
  readonly dts: number;
  /** The access unit in Annex B format. */
  readonly data: Uint8Array;
}

export interface AudioSegment {
  readonly kind: 'audio';
  readonly bytes: number;
  /** RFC 6381: `mp4a.40.2`. */
  readonly codecs: string;
  readonly sampleRate: number;
  readonly channels: number;
  /** AAC frames of 1,024 samples. */
  readonly frames: readonly AudioFrame[];
}

export interface AudioFrame {
  readonly pts: number;
  /** Includes the ADTS header. */
  readonly data: Uint8Array;
}

interface Packet {
  readonly bytes: Uint8Array;
  readonly pid: number;
  readonly start: boolean;
  /** The offset of the payload; PACKET if there is none. */
  readonly payload: number;
}

/** Parses a segment of one elementary stream. Throws Error if it is invalid or incomplete. */
export function readSegment(segment: Uint8Array): Segment {
  const packets = packetsOf(segment);
  const { pid, kind } = elementaryStream(packets);
  const units = pesOf(packets.filter((packet) => packet.pid === pid));
  if (units.length === 0) throw new Error('The segment contains no frames.');
  const bytes = segment.length;
  return kind === 'video'
    ? { kind, bytes, ...readVideo(units) }
    : { kind, bytes, ...readAudio(units) };
}

/**
 * Makes continuity counters run on across segments that were encoded separately. The counters have four bits and start
 * at 0 in every segment, so each PID needs a multiple of 16 packets with a payload. Packets are split until that is the
 * case; the bytes of the elementary stream and its clock do not change. PAT and PMT become the first two packets:
 * ffmpeg's SDT before them is dropped, as players do not need it.
 */
export function alignContinuityCounters(segment: Uint8Array): Uint8Array {
  const packets = packetsOf(segment).filter(({ pid }) => pid !== SDT);
  const { pid, pmt } = elementaryStream(packets);
  const tables = packets.filter((packet) => packet.pid !== pid);
  const frames = padBySplitting(packets.filter((packet) => packet.pid === pid));
  const find = (wanted: number) => {
    const table = tables.find((packet) => packet.pid === wanted);
    if (!table) throw new Error(`The segment has no packet of PID ${wanted}.`);
    return table;
  };
  const [pat, map] = [find(PAT), find(pmt)];
  // PAT and PMT are repeated 16 times, for decoders that start within the segment.
  const parts = 16;
  const out: Packet[] = [];
  for (let part = 0; part < parts; part += 1) {
    const from = Math.ceil((frames.length * part) / parts);
    const to = Math.ceil((frames.length * (part + 1)) / parts);
    out.push(pat, map, ...frames.slice(from, to));
  }
  return numberPackets(out);
}

function packetsOf(segment: Uint8Array): readonly Packet[] {
  if (segment.length === 0 || segment.length % PACKET !== 0) {
    throw new Error(`A transport stream of ${segment.length} bytes is incomplete.`);
  }
  const packets = Array.from({ length: segment.length / PACKET }, (_, index) => {
    const bytes = segment.subarray(index * PACKET, (index + 1) * PACKET);
    if (bytes[0] !== 0x47)
      throw new Error(`Packet ${index} of the segment does not begin with 0x47.`);
    const adaptation = at(bytes, 3) & 0x20 ? 1 + at(bytes, 4) : 0;
    return {
      bytes,
      pid: ((at(bytes, 1) & 0x1f) << 8) | at(bytes, 2),
      start: (at(bytes, 1) & 0x40) !== 0,
      payload: at(bytes, 3) & 0x10 ? 4 + adaptation : PACKET,
    };
  });
  requireContinuity(packets);
  return packets;
}

/** Throws Error if the 4-bit counter of a PID's packets with a payload skips a number (2.4.3.3). */
function requireContinuity(packets: readonly Packet[]): void {
  const last = new Map<number, number>();
  for (const { bytes, pid, payload } of packets) {
    if (payload >= PACKET) continue;
    const counter = at(bytes, 3) & 15;
    const before = last.get(pid);
    if (before !== undefined && counter !== (before + 1) % 16) {
      throw new Error(`The segment lacks packets of PID ${pid}.`);
    }
    last.set(pid, counter);
  }
}

function elementaryStream(packets: readonly Packet[]) {
  const pat = section(packets, PAT);
  const pmt = ((at(pat, 10) & 0x1f) << 8) | at(pat, 11);
  const map = section(packets, pmt);
  const first = 12 + (((at(map, 10) & 0x0f) << 8) | at(map, 11));
  const kind = STREAM_TYPES.get(at(map, first));
  if (!kind) throw new Error(`Stream type ${at(map, first)} is not supported.`);
  return { kind, pmt, pid: ((at(map, first + 1) & 0x1f) << 8) | at(map, first + 2) };
}

function section(packets: readonly Packet[], pid: number): Uint8Array {
  const packet = packets.find((one) => one.pid === pid && one.start);
  if (!packet) throw new Error(`The segment has no table in PID ${pid}.`);
  const data = packet.bytes.subarray(packet.payload);
  return data.subarray(1 + at(data, 0));
}

interface Pes {
  readonly pts: number;
  readonly dts: number;
  readonly data: Uint8Array;
}

function pesOf(packets: readonly Packet[]): readonly Pes[] {
  const units: Uint8Array[][] = [];
  for (const { start, bytes, payload } of packets) {
    if (payload >= PACKET) continue;
    if (start) units.push([]);
    units.at(-1)?.push(bytes.subarray(payload));
  }
  return units.map((parts) => {
    const whole = Buffer.concat(parts);
    if (whole.readUIntBE(0, 3) !== 1 || !(at(whole, 7) & 0x80)) {
      throw new Error('The segment contains a frame without a timestamp.');
    }
    const pts = timestamp(whole, 9);
    const dts = at(whole, 7) & 0x40 ? timestamp(whole, 14) : pts;
    return { pts, dts, data: whole.subarray(9 + at(whole, 8)) };
  });
}

function timestamp(bytes: Uint8Array, offset: number): number {
  const high = (at(bytes, offset) >> 1) & 7;
  const middle = (at(bytes, offset + 1) << 7) | (at(bytes, offset + 2) >> 1);
  const low = (at(bytes, offset + 3) << 7) | (at(bytes, offset + 4) >> 1);
  return high * 2 ** 30 + middle * 2 ** 15 + low;
}

function readVideo(units: readonly Pes[]): Pick<VideoSegment, 'sequence' | 'pictures'> {
  const sequence = units[0] && readSequence(units[0].data);
  if (!sequence) throw new Error('The segment begins without a sequence parameter set.');
  return {
    sequence,
    pictures: units.map((unit) => ({ ...unit, ...readSlice(unit.data, sequence) })),
  };
}

/** Sampling frequencies by their index in an ADTS header (ISO/IEC 14496-3). */
const FREQUENCIES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
];

function readAudio(units: readonly Pes[]): Omit<AudioSegment, 'kind' | 'bytes'> {
  const frames = units.flatMap(({ pts, data }) =>
    adtsFrames(data).map((frame, index) => ({
      pts: pts + Math.round((index * 1024 * 90_000) / adtsHeader(frame).sampleRate),
      data: frame,
    })),
  );
  const [first] = frames;
  if (!first) throw new Error('The segment contains no frames.');
  const { profile, ...header } = adtsHeader(first.data);
  return { frames, codecs: `mp4a.40.${profile + 1}`, ...header };
}

function adtsFrames(data: Uint8Array): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let offset = 0; offset < data.length;) {
    if (at(data, offset) !== 0xff || (at(data, offset + 1) & 0xf6) !== 0xf0) {
      throw new Error('The segment contains sound that is not AAC in ADTS.');
    }
    const length =
      ((at(data, offset + 3) & 3) << 11) |
      (at(data, offset + 4) << 3) |
      (at(data, offset + 5) >> 5);
    if (length < 7 || offset + length > data.length) {
      throw new Error('The segment contains an incomplete AAC frame.');
    }
    frames.push(data.subarray(offset, offset + length));
    offset += length;
  }
  return frames;
}

function adtsHeader(frame: Uint8Array) {
  return {
    profile: at(frame, 2) >> 6,
    sampleRate: FREQUENCIES[(at(frame, 2) >> 2) & 15] ?? 0,
    channels: ((at(frame, 2) & 1) << 2) | (at(frame, 3) >> 6),
  };
}

/** Splits packets until the number of packets with a payload is a multiple of 16. */
function padBySplitting(packets: readonly Packet[]): readonly Packet[] {
  const counted = packets.filter(({ payload }) => payload < PACKET).length;
  let missing = (16 - (counted % 16)) % 16;
  return packets.flatMap((packet) => {
    const size = PACKET - packet.payload;
    if (missing === 0 || size < 2) return [packet];
    const pieces = Math.min(missing + 1, size);
    missing -= pieces - 1;
    return split(packet, pieces);
  });
}

/** Divides a packet's payload among several packets. The flags and the clock of its header stay with the first one. */
function split(packet: Packet, pieces: number): readonly Packet[] {
  const { bytes, payload } = packet;
  const header = bytes.subarray(0, payload);
  const data = bytes.subarray(payload);
  return Array.from({ length: pieces }, (_, index) => {
    const from = Math.floor((data.length * index) / pieces);
    const to = Math.floor((data.length * (index + 1)) / pieces);
    const part = data.subarray(from, to);
    const out = new Uint8Array(PACKET).fill(0xff);
    out.set(index === 0 ? header : bytes.subarray(0, 4));
    // The adaptation field holds the stuffing: a length, flags, then bytes of 0xff.
    const stuffed = PACKET - part.length;
    const flags = index === 0 && payload > 5 ? at(bytes, 5) : 0;
    out[3] = 0x30;
    out[4] = stuffed - 5;
    if (stuffed > 5) out[5] = flags;
    if (index > 0) out[1] = at(bytes, 1) & ~0x40;
    out.set(part, stuffed);
    return { bytes: out, pid: packet.pid, start: index === 0 && packet.start, payload: stuffed };
  });
}

/** Sets the continuity counters of each PID from 0. A packet without a payload repeats the previous number. */
function numberPackets(packets: readonly Packet[]): Uint8Array {
  const out = new Uint8Array(packets.length * PACKET);
  const next = new Map<number, number>();
  packets.forEach(({ bytes, pid, payload }, index) => {
    const count = next.get(pid) ?? 0;
    const own = payload < PACKET ? count : (count + 15) % 16;
    next.set(pid, payload < PACKET ? (count + 1) % 16 : count);
    out.set(bytes, index * PACKET);
    out[index * PACKET + 3] = (at(bytes, 3) & 0xf0) | own;
  });
  return out;
}

function at(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new Error('The segment ends within a header.');
  return byte;
}
