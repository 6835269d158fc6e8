import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RejectedError, TransientError } from '../../worker/errors.ts';
import { runFfmpeg } from '../../worker/io/ffmpeg.ts';
import { findSeek, probeSource } from '../../worker/io/probe.ts';
import { makeFolders } from '../../worker/io/segments.ts';
import { createLog } from '../../worker/log.ts';
import { audioCommand, videoCommand } from '../../worker/plan/encode.ts';
import { unitLimits } from '../../worker/plan/limits.ts';
import { LADDER } from '../../worker/plan/ladder.ts';
import { planAsset } from '../../worker/plan/plan.ts';
import { clip } from '../e2e/clips.ts';

/** Containers whose files are spoiled, with the codecs that they hold. */
const CONTAINERS: Readonly<Record<string, readonly string[]>> = {
  'a.mp4': [],
  'a.mkv': [],
  'a.ts': [],
  'a.mov': ['-c:v', 'mjpeg'],
  'a.avi': ['-c:v', 'mpeg4', '-c:a', 'mp3'],
  'a.mpg': ['-c:v', 'mpeg2video', '-c:a', 'mp2', '-f', 'mpeg'],
  'fragmented.mp4': ['-movflags', '+frag_keyframe+empty_moov'],
};

export interface FuzzResult {
  /** How many ended in which way: `ready`, or a rejection's code. */
  readonly ends: ReadonlyMap<string, number>;
  /** What must not be, with the number of the file: it can be made again from the seed. */
  readonly faults: readonly string[];
}

/** Spoils small files, the same ones for the same seed, and makes assets of them as a worker does. */
export async function fuzz(
  seed: number,
  first: number,
  count: number,
  directory: string,
  programs: { readonly ffmpeg: string; readonly ffprobe: string },
): Promise<FuzzResult> {
  const sources = Object.entries(CONTAINERS).map(([name, more]) => ({
    name,
    bytes: readFileSync(clip({ name, seconds: 1, size: '64x64', rate: '10', more })),
  }));
  const ends = new Map<string, number>();
  const faults: string[] = [];
  for (let index = first; index < first + count; index += 1) {
    const source = sources[index % sources.length];
    if (!source) break;
    const folder = join(directory, String(index));
    mkdirSync(folder);
    const path = join(folder, source.name);
    writeFileSync(path, spoiled(source.bytes, randomOf(`${seed}/${index}`)));
    const end = await endOf(path, folder, programs);
    ends.set(end, (ends.get(end) ?? 0) + 1);
    if (/^fault/.test(end)) faults.push(`${index} (${source.name}): ${end}`);
  }
  return { ends, faults };
}

/** Probes, plans and encodes a file. Nothing but a success or a rejection is right. */
async function endOf(
  address: string,
  directory: string,
  { ffmpeg, ffprobe }: { readonly ffmpeg: string; readonly ffprobe: string },
): Promise<string> {
  const signal = AbortSignal.timeout(60_000);
  const { size: sizeBytes } = statSync(address);
  try {
    const media = await probeSource({
      ...{ address, sizeBytes, ffprobe, signal, picture: 'optional' },
      limits: { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 },
    });
    const plan = planAsset({
      ...{ jobId: 'job', assetId: 'asset', title: 'fuzz', media },
      source: { bucket: 'b', key: 'k', etag: 'e', sizeBytes },
      ladder: LADDER,
      encoder: { preset: 'ultrafast', crf: 30 },
    });
    // A spoiled header can claim hours; the first chunk and its like are enough.
    for (const unit of plan.units.filter(({ kind }) => kind !== 'images').slice(0, 2)) {
      const limits = unitLimits(plan, unit);
      const run = { ffmpeg, limits, signal, stallSeconds: 30, log: createLog('silent') };
      if (unit.kind === 'video') {
        const seekSeconds = await findSeek({ address, ffprobe, signal }, plan, 0);
        await makeFolders(
          directory,
          plan.renditions.map(({ name }) => name),
        );
        await runFfmpeg({
          ...run,
          argv: videoCommand(plan, unit, { address, seekSeconds, directory }),
        });
      } else {
        const track = plan.audio.find(({ name }) => name === unit.name);
        if (!track) throw new Error(`There is no track ${unit.name}.`);
        await makeFolders(directory, [track.name]);
        await runFfmpeg({ ...run, argv: audioCommand(plan, track, { address, directory }) });
      }
    }
    return 'ready';
  } catch (error) {
    if (error instanceof RejectedError) return error.code;
    if (signal.aborted) return 'fault: it hung';
    // A decoder's crash, which a worker tries again and then reports.
    if (error instanceof TransientError) return `fault: ${error.message.slice(0, 200)}`;
    return `fault: ${String(error instanceof Error ? error.stack : error)}`;
  }
}

/** The same, with some bytes changed, moved, taken out or cut off, most of them in the headers. */
function spoiled(bytes: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(bytes);
  const near = () => {
    const where = random();
    // Headers are at the start and at the end.
    const share = where < 0.4 ? random() * 0.05 : where < 0.8 ? 1 - random() * 0.2 : random();
    return Math.min(copy.length - 9, Math.floor(share * copy.length));
  };
  const EXTREME = [0, 1, 0x7f, 0x80, 0xff];
  for (let changes = 1 + Math.floor(random() * 12); changes > 0; changes -= 1) {
    const at = near();
    const kind = random();
    if (kind < 0.5) copy[at] = Math.floor(random() * 256);
    else if (kind < 0.8) copy.fill(EXTREME[Math.floor(random() * EXTREME.length)] ?? 0, at, at + 4);
    else copy.copyWithin(at, near(), near());
  }
  return random() < 0.1 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy;
}

/** Numbers from 0 to 1 that follow from a name. */
function randomOf(name: string): () => number {
  let state = createHash('sha256').update(name).digest();
  return () => {
    state = createHash('sha256').update(state).digest();
    return state.readUInt32BE(0) / 2 ** 32;
  };
}
