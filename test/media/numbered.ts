import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Red, green, blue, white, grey, black, yellow, skin: the patches along the top of a numbered picture. */
export const PATCHES = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
  [128, 128, 128],
  [0, 0, 0],
  [255, 255, 0],
  [200, 150, 120],
] as const;

/** The duration of a flash and its beep, which begin at each whole second. */
const FLASH_SECONDS = 0.1;

/** The number has 14 bits, between a white block and a black block. */
const BLOCKS = 16;

/**
 * A source for `-f lavfi -i` whose pictures show their own number. It has three rows of equal height: colour patches;
 * the number as 16 blocks, the most significant bit first; a flash at each whole second.
 */
export function numberedPicture(options: {
  /** Default: 320x180. The width must be a multiple of 16. */
  readonly size?: string;
  readonly rate: string;
  readonly seconds: number;
}): string {
  const { size = '320x180', rate, seconds } = options;
  const block = `floor(X*${BLOCKS}/W)`;
  const bit = `mod(floor(N/pow(2,${BLOCKS - 2}-${block})),2)`;
  const number = `if(eq(${block},0),1,if(eq(${block},${BLOCKS - 1}),0,${bit}))`;
  const flash = `lt(mod(T+0.001,1),${FLASH_SECONDS})`;
  const planes = ['r', 'g', 'b'].map((plane, index) => {
    const patch = PATCHES.reduceRight<string>(
      (rest, color, place) => `if(eq(floor(X*8/W),${place}),${color[index] ?? 0},${rest})`,
      '0',
    );
    const row = 'floor(Y*3/H)';
    return `${plane}='if(eq(${row},0),${patch},if(eq(${row},1),255*${number},64+160*${flash}))'`;
  });
  return `nullsrc=s=${size}:r=${rate}:d=${seconds},format=gbrp,geq=${planes.join(':')}`;
}

/** A source for `-f lavfi -i`: a beep of 0.1 s at each whole second, mono. */
export function beeps(seconds: number, frequency = 1000): string {
  return `aevalsrc='0.5*sin(2*PI*${frequency}*t)*lt(mod(t,1),${FLASH_SECONDS})':s=48000:d=${seconds}`;
}

export interface NumberedFrame {
  /** Undefined if the blocks cannot be read. */
  readonly number: number | undefined;
  /** Presentation time on the file's clock. */
  readonly seconds: number;
  readonly flash: boolean;
  /** Red, green and blue of each patch, in the order of PATCHES. */
  readonly patches: readonly (readonly [number, number, number])[];
}

/**
 * Decodes a file or a playlist and reads each picture. `filters` are applied first, for example a crop that removes a
 * letterbox.
 */
export async function readFrames(
  file: string,
  { map = '0:v:0', filters = [] }: { map?: string; filters?: readonly string[] } = {},
): Promise<readonly NumberedFrame[]> {
  const graph = [...filters, 'showinfo', `scale=${BLOCKS}:3:flags=area`, 'format=rgb24'];
  const { stdout, stderr } = await decode(file, [
    ...['-map', map, '-vf', graph.join(','), '-fps_mode', 'passthrough', '-f', 'rawvideo'],
  ]);
  const times = [...stderr.matchAll(/ n: *\d+ pts: *\S+ pts_time:(\S+)/g)].map((found) =>
    Number(found[1]),
  );
  const size = BLOCKS * 3 * 3;
  return Array.from({ length: stdout.length / size }, (_, index) =>
    readFrame(stdout.subarray(index * size, (index + 1) * size), times[index] ?? Number.NaN),
  );
}

function readFrame(rgb: Buffer, seconds: number): NumberedFrame {
  const color = (row: number, column: number) => {
    const at = (row * BLOCKS + column) * 3;
    return [rgb[at] ?? 0, rgb[at + 1] ?? 0, rgb[at + 2] ?? 0] as const;
  };
  const blocks = Array.from({ length: BLOCKS }, (_, column) => color(1, column)[1]);
  const legible =
    blocks.every((level) => level < 90 || level > 165) &&
    (blocks[0] ?? 0) > 165 &&
    (blocks[BLOCKS - 1] ?? 255) < 90;
  const bits = blocks.slice(1, -1);
  return {
    number: legible ? bits.reduce((sum, level) => sum * 2 + (level > 127 ? 1 : 0), 0) : undefined,
    seconds,
    flash: (color(2, BLOCKS - 1)[1] + color(2, BLOCKS / 2)[1]) / 2 > 144,
    // Each patch is two blocks wide.
    patches: PATCHES.map((_, place) => color(0, place * 2)),
  };
}

/** The start times of the flashes, in seconds on the file's clock. */
export function flashTimes(frames: readonly NumberedFrame[]): readonly number[] {
  return frames
    .filter(({ flash }, index) => flash && !frames[index - 1]?.flash)
    .map(({ seconds }) => seconds);
}

/** The times when the sound becomes loud, in seconds on the file's clock, to the millisecond. */
export async function beepTimes(
  file: string,
  { map = '0:a:0', channel }: { map?: string; channel?: number } = {},
): Promise<readonly number[]> {
  const RATE = 48_000;
  const STEP = RATE / 1000;
  const pick = channel === undefined ? [] : [`pan=mono|c0=c${channel}`];
  const graph = [
    ...pick,
    `aresample=${RATE}:async=1:first_pts=0`,
    'aformat=s16:channel_layouts=mono',
  ];
  const { stdout } = await decode(file, ['-map', map, '-af', graph.join(','), '-f', 's16le']);
  const times: number[] = [];
  let quietMilliseconds = Infinity;
  for (let from = 0; from + STEP * 2 <= stdout.length; from += STEP * 2) {
    let peak = 0;
    for (let at = from; at < from + STEP * 2; at += 2) {
      peak = Math.max(peak, Math.abs(stdout.readInt16LE(at)));
    }
    if (peak < 2000) quietMilliseconds += 1;
    else {
      // Zero crossings within a beep are shorter than 20 ms.
      if (quietMilliseconds > 20) times.push(from / 2 / RATE);
      quietMilliseconds = 0;
    }
  }
  return times;
}

function decode(file: string, argv: readonly string[]) {
  const input = ['-nostdin', '-hide_banner', '-loglevel', 'info', '-nostats', '-copyts'];
  const playlist = file.endsWith('.m3u8') ? ['-allowed_extensions', 'ALL'] : [];
  return run('ffmpeg', [...input, ...playlist, '-i', file, ...argv, '-'], {
    encoding: 'buffer',
    maxBuffer: 2 ** 30,
  }).then(({ stdout, stderr }) => ({ stdout, stderr: stderr.toString('latin1') }));
}
