import { mkdtemp, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../../core/log.ts';
import { LADDER } from '../../core/model/ladder.ts';
import type { Unit } from '../../core/model/units.ts';
import { findSeek, probeSource } from '../../worker/ffmpeg/probe.ts';
import { runFfmpeg } from '../../worker/ffmpeg/run.ts';
import { audioCommand, videoCommand } from '../../worker/plan/encode.ts';
import { chunksOf } from '../../worker/plan/grid.ts';
import { unitLimits } from '../../worker/plan/limits.ts';
import { planAsset } from '../../worker/plan/plan-asset.ts';
import type { Plan } from '../../worker/plan/plan.ts';
import { makeFolders, takeSegments } from '../../worker/segments.ts';

const LIMITS = { maxDurationSeconds: 3600, maxSizeBytes: 2 ** 30, maxPicturePixels: 1e7 };
const PROGRAMS = { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe', signal: new AbortController().signal };

/** The plan of a source, and the files of its pictures and its first sound track. */
export interface Encoded {
  readonly plan: Plan;
  readonly video: string;
  readonly audio: string | undefined;
}

/** Plans and encodes a source without a worker, in one small rendition with segments of half a second. */
export async function encodeSource(address: string, folder: string): Promise<Encoded> {
  const { size: sizeBytes } = await stat(address);
  const planned = planAsset({
    jobId: 'job',
    assetId: 'asset',
    title: 'A title',
    ladder: LADDER,
    source: { bucket: 'sources', key: 'key', etag: 'etag', sizeBytes },
    media: await probeSource({
      address,
      sizeBytes,
      limits: LIMITS,
      picture: 'optional',
      ...PROGRAMS,
    }),
    encoder: { preset: 'ultrafast', crf: 23 },
  });
  const { rate } = planned.grid;
  const gopFrames = Math.round(rate.num / rate.den / 2);
  const plan: Plan = {
    ...planned,
    grid: { ...planned.grid, gopFrames, segmentFrames: gopFrames },
    renditions: [
      { name: '90p', width: 160, height: 90, maxBitRate: 2_000_000, bufferBits: 2_000_000 },
    ],
  };
  const directory = await mkdtemp(join(folder, 'encoded-'));
  const run = (unit: Unit, argv: readonly string[]) =>
    runFfmpeg({
      argv,
      ffmpeg: 'ffmpeg',
      stallSeconds: 60,
      log: createLog('silent'),
      signal: PROGRAMS.signal,
      limits: unitLimits(plan, unit),
    });
  const pictures: Buffer[] = [];
  for (const chunk of chunksOf(plan.grid)) {
    const unit = { kind: 'video', name: 'video', ...chunk } as const;
    const place = { address, directory: await mkdtemp(join(directory, 'chunk-')) };
    await makeFolders(place.directory, ['90p']);
    const seekSeconds = await findSeek({ address, ...PROGRAMS }, plan, chunk.firstFrame);
    await run(unit, videoCommand(plan, unit, { ...place, seekSeconds }));
    pictures.push(...(await collect(place.directory, '90p', chunk.firstSegment)));
  }
  const video = join(directory, 'video.ts');
  await writeFile(video, Buffer.concat(pictures));
  const [track] = plan.audio;
  if (!track) return { plan, video, audio: undefined };
  await makeFolders(directory, [track.name]);
  const unit = { kind: 'audio', name: track.name, track: track.name } as const;
  await run(unit, audioCommand(plan, track, { address, directory }));
  const audio = join(directory, 'audio.ts');
  await writeFile(audio, Buffer.concat(await collect(directory, track.name, 0)));
  return { plan, video, audio };
}

async function collect(directory: string, rendition: string, first: number): Promise<Buffer[]> {
  const segments: Buffer[] = [];
  for await (const { bytes } of takeSegments(directory, rendition, first, true)) {
    segments.push(bytes);
  }
  return segments;
}
