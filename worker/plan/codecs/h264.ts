import type { Size } from '../media.ts';

// Reads headers of H.264 (ITU-T H.264, clauses 7.3 and 8.2.1): the form of the pictures and their order.

/** The sequence parameter set. */
export interface Sequence {
  /** RFC 6381: `avc1.64001f`. */
  readonly codecs: string;
  /** After cropping. */
  readonly size: Size;
  readonly sampleAspect: readonly [number, number] | undefined;
  readonly colors: Colors | undefined;
  readonly frameNumberBits: number;
  /** Undefined if the display order is the decoding order. */
  readonly orderBits: number | undefined;
}

/** Code points of ITU-T H.273; 2 is "unspecified". */
export interface Colors {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
  readonly fullRange: boolean;
}

/** The header of a picture's first slice. */
export interface SliceHeader {
  readonly key: boolean;
  /** True if other pictures are predicted from it. */
  readonly reference: boolean;
  /** The number of reference pictures since the key frame, modulo a power of two. */
  readonly frameNumber: number;
  /** Twice the picture's position after the key frame in display order, modulo a power of two. */
  readonly order: number | undefined;
}

const NAL = { slice: 1, key: 5, sequence: 7 };
const UNSPECIFIED_ASPECT = 0;
const EXTENDED_ASPECT = 255;
const SQUARE: readonly [number, number] = [1, 1];

/** Profiles whose sequence parameter set contains the chroma format. */
const CHROMA_PROFILES = [100, 110, 122, 244, 44, 83, 86, 118, 128];

/**
 * The sequence parameter set of an access unit; undefined if it has none. Throws Error for a form that is not
 * supported.
 */
export function readSequence(accessUnit: Uint8Array): Sequence | undefined {
  const nal = headersOf(accessUnit).find((one) => typeOf(one) === NAL.sequence);
  if (!nal) return undefined;
  const bits = new BitReader(nal, 1);
  const profile = bits.read(8);
  bits.skip(16);
  bits.unsigned();
  if (CHROMA_PROFILES.includes(profile)) {
    if (bits.unsigned() !== 1) throw new Error('The picture is not 4:2:0.');
    if (bits.unsigned() + bits.unsigned() !== 0)
      throw new Error('The picture does not have 8 bits a sample.');
    bits.skip(1);
    if (bits.flag()) throw new Error('The picture has scaling lists, which are not supported.');
  }
  const frameNumberBits = bits.unsigned() + 4;
  const orderType = bits.unsigned();
  if (orderType === 1)
    throw new Error('The picture has order count type 1, which is not supported.');
  const orderBits = orderType === 0 ? bits.unsigned() + 4 : undefined;
  bits.unsigned();
  bits.skip(1);
  const width = (bits.unsigned() + 1) * 16;
  const height = (bits.unsigned() + 1) * 16;
  if (!bits.flag()) throw new Error('The picture may consist of fields.');
  bits.skip(1);
  const [left, right, top, bottom] = bits.flag()
    ? [bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()]
    : [0, 0, 0, 0];
  return {
    codecs: `avc1.${Buffer.from(nal.subarray(1, 4)).toString('hex')}`,
    size: { width: width - 2 * (left + right), height: height - 2 * (top + bottom) },
    ...(bits.flag() ? readUsability(bits) : { sampleAspect: undefined, colors: undefined }),
    frameNumberBits,
    orderBits,
  };
}

/** The header of the first slice. Throws Error if the access unit has no slice. */
export function readSlice(accessUnit: Uint8Array, sequence: Sequence): SliceHeader {
  const nal = headersOf(accessUnit).find(isSlice);
  if (!nal) throw new Error('The segment contains a picture without a slice.');
  const key = typeOf(nal) === NAL.key;
  const bits = new BitReader(nal, 1);
  for (let field = 0; field < 3; field += 1) bits.unsigned();
  const frameNumber = bits.read(sequence.frameNumberBits);
  if (key) bits.unsigned();
  return {
    key,
    reference: (at(nal, 0) & 0x60) !== 0,
    frameNumber,
    order: sequence.orderBits === undefined ? undefined : bits.read(sequence.orderBits),
  };
}

/** Video usability information (annex E). */
function readUsability(bits: BitReader): Pick<Sequence, 'sampleAspect' | 'colors'> {
  let sampleAspect: Sequence['sampleAspect'];
  if (bits.flag()) {
    const aspect = bits.read(8);
    if (aspect === EXTENDED_ASPECT) sampleAspect = [bits.read(16), bits.read(16)];
    else if (aspect !== UNSPECIFIED_ASPECT) sampleAspect = aspect === 1 ? SQUARE : [aspect, 0];
  }
  if (bits.flag()) bits.skip(1);
  if (!bits.flag()) return { sampleAspect, colors: undefined };
  bits.skip(3);
  const fullRange = bits.flag();
  const [primaries, transfer, matrix] = bits.flag()
    ? [bits.read(8), bits.read(8), bits.read(8)]
    : [2, 2, 2];
  return { sampleAspect, colors: { primaries, transfer, matrix, fullRange } };
}

/** Only the first bytes of a NAL unit are read; the headers are far shorter. */
const HEADER_BYTES = 256;
const START_CODE = Buffer.from([0, 0, 1]);

/** The first bytes of the NAL units up to the first slice, without emulation prevention bytes. */
function headersOf(accessUnit: Uint8Array): readonly Uint8Array[] {
  const bytes = Buffer.from(accessUnit.buffer, accessUnit.byteOffset, accessUnit.byteLength);
  const found: Uint8Array[] = [];
  for (let start = bytes.indexOf(START_CODE); start >= 0;) {
    const nal = bytes.subarray(start + 3, start + 3 + HEADER_BYTES);
    if (nal.length === 0) break;
    found.push(removeEmulationPrevention(nal));
    if (isSlice(nal)) break;
    start = bytes.indexOf(START_CODE, start + 3);
  }
  return found;
}

function removeEmulationPrevention(nal: Uint8Array): Uint8Array {
  return nal.filter(
    (byte, index) => byte !== 3 || index < 2 || nal[index - 1] !== 0 || nal[index - 2] !== 0,
  );
}

function typeOf(nal: Uint8Array): number {
  return at(nal, 0) & 0x1f;
}

function isSlice(nal: Uint8Array): boolean {
  return typeOf(nal) === NAL.slice || typeOf(nal) === NAL.key;
}

class BitReader {
  readonly #bytes: Uint8Array;
  #bit: number;

  constructor(bytes: Uint8Array, firstByte: number) {
    this.#bytes = bytes;
    this.#bit = firstByte * 8;
  }

  /** Reads an unsigned number of at most 32 bits. */
  read(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1) {
      value = value * 2 + ((at(this.#bytes, this.#bit >> 3) >> (7 - (this.#bit & 7))) & 1);
      this.#bit += 1;
    }
    return value;
  }

  skip(count: number): void {
    this.#bit += count;
  }

  flag(): boolean {
    return this.read(1) === 1;
  }

  /** ue(v): an Exp-Golomb code. */
  unsigned(): number {
    let zeros = 0;
    while (!this.flag()) zeros += 1;
    return 2 ** zeros - 1 + this.read(zeros);
  }
}

function at(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new Error('The segment ends within a header.');
  return byte;
}
