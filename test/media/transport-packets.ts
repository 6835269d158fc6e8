/**
 * Splits a transport stream of one elementary stream into frames and joins them again. Tests can drop, duplicate, swap
 * and move frames in between; all continuity counters are correct afterwards.
 */

const PACKET = 188;

export interface Taken {
  /** The packets of all other PIDs, which precede the frames. */
  readonly tables: readonly Buffer[];
  /** The packets of each PES packet, which holds one frame. */
  readonly frames: readonly (readonly Buffer[])[];
}

export function takeApart(segment: Buffer): Taken {
  const tables: Buffer[] = [];
  const frames: Buffer[][] = [];
  for (let offset = 0; offset < segment.length; offset += PACKET) {
    const packet = Buffer.from(segment.subarray(offset, offset + PACKET));
    if (pidOf(packet) !== STREAM) tables.push(packet);
    else if (packet.readUInt8(1) & 0x40) frames.push([packet]);
    else frames.at(-1)?.push(packet);
  }
  return { tables, frames };
}

export function putTogether({ tables, frames }: Taken): Buffer {
  const packets = [...tables, ...frames.flat()].map((packet) => Buffer.from(packet));
  const counters = new Map<number, number>();
  for (const packet of packets) {
    const pid = pidOf(packet);
    const counter = counters.get(pid) ?? 0;
    packet[3] = (packet.readUInt8(3) & 0xf0) | counter;
    if (packet.readUInt8(3) & 0x10) counters.set(pid, (counter + 1) % 16);
  }
  return Buffer.concat(packets);
}

/** Moves the timestamps of a frame by ticks of 90 kHz. */
export function moved(
  frame: readonly Buffer[],
  { pts = 0, dts = pts }: { readonly pts?: number; readonly dts?: number },
): readonly Buffer[] {
  const [first, ...others] = frame;
  if (!first) return frame;
  const packet = Buffer.from(first);
  const pes = payloadOf(packet);
  writeTime(packet, pes + 9, readTime(packet, pes + 9) + pts);
  if (packet.readUInt8(pes + 7) & 0x40) {
    writeTime(packet, pes + 14, readTime(packet, pes + 14) + dts);
  }
  return [packet, ...others];
}

/** The presentation time of a frame, in ticks. */
export function timeOf(frame: readonly Buffer[]): number {
  const [first = Buffer.alloc(PACKET)] = frame;
  return readTime(first, payloadOf(first) + 9);
}

/** The data of a frame with the presentation time of another, and with its decode time if both have one. */
export function withTimesOf(frame: readonly Buffer[], other: readonly Buffer[]): readonly Buffer[] {
  return moved(frame, {
    pts: timeOf(other) - timeOf(frame),
    dts: decodeTimeOf(other) - decodeTimeOf(frame),
  });
}

function decodeTimeOf(frame: readonly Buffer[]): number {
  const [first = Buffer.alloc(PACKET)] = frame;
  const pes = payloadOf(first);
  return readTime(first, pes + (first.readUInt8(pes + 7) & 0x40 ? 14 : 9));
}

/** ffmpeg's PID of the first elementary stream. */
const STREAM = 0x100;

function pidOf(packet: Buffer): number {
  return packet.readUInt16BE(1) & 0x1fff;
}

function payloadOf(packet: Buffer): number {
  return packet.readUInt8(3) & 0x20 ? 5 + packet.readUInt8(4) : 4;
}

function readTime(bytes: Buffer, at: number): number {
  return (
    ((bytes.readUInt8(at) >> 1) & 7) * 2 ** 30 +
    (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 +
    (bytes.readUInt16BE(at + 3) >> 1)
  );
}

function writeTime(bytes: Buffer, at: number, ticks: number): void {
  const mark = bytes.readUInt8(at) & 0xf0;
  bytes.writeUInt8(mark | (Math.floor(ticks / 2 ** 30) << 1) | 1, at);
  bytes.writeUInt16BE(((Math.floor(ticks / 2 ** 15) % 2 ** 15) << 1) | 1, at + 1);
  bytes.writeUInt16BE(((ticks % 2 ** 15) << 1) | 1, at + 3);
}
