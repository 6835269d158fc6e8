import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../core/environment.ts';
import { LADDER } from '../core/model/ladder.ts';
import type { Unit } from '../core/model/units.ts';
import { layoutEnv } from '../core/storage/local/layout.ts';
import { probeSource } from '../worker/ffmpeg/probe.ts';
import {
  alignContinuityCounters,
  readSegment,
} from '../worker/plan/containers/transport-stream.ts';
import { audioCommand, KEYS_COMMAND, LEVELS_COMMAND, videoCommand } from '../worker/plan/encode.ts';
import { planAsset } from '../worker/plan/plan-asset.ts';
import type { Plan } from '../worker/plan/plan.ts';
import { measure, requireClip, run } from './measure.ts';

const HELP = `Usage: npm run bench:gate [-- CLIP]

Prints the cost of the gate: the CPU seconds of ffmpeg for each unit of pictures and of sound, and what the gate adds
to them. Uses the first minute of the clip, or makes a minute of 1080p. A minute is the length of a unit.
`;
const SECONDS = 60;
const ROUNDS = 3;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}

const given = process.argv[2];
if (given) requireClip(given);
const directory = mkdtempSync(join(tmpdir(), 'vodstack-gate-'));

const ffmpeg = (...argv: readonly string[]) =>
  run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...argv]);

/** Copies the first seconds of the given clip, or makes moving pictures with noise. */
function makeSource(path: string): void {
  if (given) {
    const streams = ['-map', '0:V:0?', '-map', '0:a:0?', '-c', 'copy'];
    ffmpeg('-t', String(SECONDS), '-i', given, ...streams, path);
    return;
  }
  const picture = 'testsrc2=s=1920x1080:r=25,noise=alls=8:allf=t,format=yuv420p';
  const sound = 'aevalsrc=0.3*sin(880*PI*t)|0.3*sin(1320*PI*t):s=48000';
  ffmpeg(
    ...['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound, '-t', String(SECONDS)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18', '-c:a', 'aac', path],
  );
}

async function planSource(address: string): Promise<Plan> {
  const { size: sizeBytes } = statSync(address);
  const { X264_PRESET: preset, X264_CRF: crf } = readConfig({ ...layoutEnv('/') });
  const media = await probeSource({
    ...{ address, sizeBytes, picture: 'optional', ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' },
    signal: new AbortController().signal,
    limits: { maxDurationSeconds: 2 * SECONDS, maxSizeBytes: 2 ** 40, maxPicturePixels: 1e8 },
  });
  return planAsset({
    ...{ jobId: 'job', assetId: 'asset', title: 'A title', ladder: LADDER, media },
    source: { bucket: 'sources', key: 'key', etag: 'etag', sizeBytes },
    encoder: { preset, crf },
  });
}

/** The ends of the filter graph that the gate reads, and no encoder. */
const REFERENCE = /\[(source|grid|shown|keys|kept|heard\d+|encoded)\]$/;

/** Returns the arguments of the same run without the branches and outputs that the gate reads. */
function withoutGate(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('-filter_complex') + 1;
  const graph = (argv[at] ?? '')
    .split(';')
    .filter((chain) => !REFERENCE.test(chain))
    .join(';')
    .replace('split[decoded]', 'null')
    .replace('split[framed]', 'null')
    .replace(/asplit(\[s\d+\])(\[m\d+\])/g, 'anull$2')
    .replace('asplit[made]', 'anull')
    .replace(/split=(\d+)(.*)\[ready\]/, (_, count, names) => `split=${Number(count) - 1}${names}`);
  let kept = true;
  return argv.with(at, graph).filter((token, index) => {
    if (token === '-map') kept = !REFERENCE.test(argv[index + 1] ?? '');
    return kept;
  });
}

/**
 * Returns the arguments of the same run with pictures and sound discarded instead of encoded. Two encodes differ by more
 * than the gate costs, so its cost shows only without them.
 */
function withoutEncoders(argv: readonly string[]): readonly string[] {
  const outputs = argv.indexOf('-map');
  const passed = ['-fps_mode', 'passthrough', '-f', 'null', '-'];
  let discarding = false;
  return [
    ...argv.slice(0, outputs),
    ...argv.slice(outputs).flatMap((token, index, all) => {
      const label = all[index + 1] ?? '';
      if (token !== '-map') return discarding ? [] : [token];
      discarding = !REFERENCE.test(label);
      return discarding ? ['-map', label, ...passed] : [token];
    }),
  ];
}

/** Returns the part of a unit's segments that the gate decodes: the first key frame of each, or all frames of sound. */
function decodedOf(folder: string, names: readonly string[]): Buffer {
  const parts = names.flatMap((name) =>
    readdirSync(join(folder, name))
      .sort()
      .flatMap((file): readonly Uint8Array[] => {
        const segment = readSegment(
          alignContinuityCounters(readFileSync(join(folder, name, file))),
        );
        return segment.kind === 'audio'
          ? segment.frames.map(({ data }) => data)
          : segment.pictures.slice(0, 1).map(({ data }) => data);
      }),
  );
  return Buffer.concat(parts);
}

interface Setting {
  readonly name: string;
  readonly folders: readonly string[];
  readonly command: (directory: string) => readonly string[];
  readonly decoder: readonly string[];
}

/** CPU seconds of the encoders, of the copies that their run makes for the gate, and of the gate's own decoding. */
interface Cost {
  readonly encoding: number;
  readonly copying: number;
  readonly decoding: number;
}

function compare({ name, folders, command, decoder }: Setting): Cost {
  const target = join(directory, name);
  for (const folder of folders) mkdirSync(join(target, folder), { recursive: true });
  const argv = command(target);
  process.stderr.write(`Encoding ${name} …\n`);
  const all = cpuSeconds(() => run('ffmpeg', argv));
  const made = decodedOf(target, folders);
  process.stderr.write(`Measuring the gate for ${name} …\n`);
  const rounds = Array.from({ length: ROUNDS }, () => ({
    bare: cpuSeconds(() => run('ffmpeg', withoutEncoders(withoutGate(argv)))),
    copied: cpuSeconds(() => run('ffmpeg', withoutEncoders(argv))),
    decoding: cpuSeconds(() => run('ffmpeg', decoder, made)),
  }));
  rmSync(target, { recursive: true });
  const copying = median(rounds.map(({ bare, copied }) => copied - bare));
  const decoding = median(rounds.map((round) => round.decoding));
  return { encoding: all - copying, copying, decoding };
}

function cpuSeconds(work: () => void): number {
  return measure(work).cpuSeconds;
}

function printRow(name: string, { encoding, copying, decoding }: Cost): void {
  const seconds = [encoding, copying, decoding].map((one) => one.toFixed(2));
  const share = (((copying + decoding) / encoding) * 100).toFixed(1);
  console.log(`| ${name} | ${seconds.join(' | ')} | ${share} % |`);
}

function total(costs: readonly Cost[]): Cost {
  const sum = (of: keyof Cost) => costs.reduce((all, cost) => all + cost[of], 0);
  return { encoding: sum('encoding'), copying: sum('copying'), decoding: sum('decoding') };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function settingOf(plan: Plan, unit: Unit, address: string): Setting | undefined {
  const track = plan.audio.find(({ name }) => unit.kind === 'audio' && name === unit.track);
  if (unit.kind === 'video') {
    return {
      name: unit.name,
      folders: plan.renditions.map(({ name }) => name),
      command: (folder) => videoCommand(plan, unit, { address, directory: folder }),
      decoder: KEYS_COMMAND,
    };
  }
  return (
    track && {
      name: unit.name,
      folders: [track.name],
      command: (folder) => audioCommand(plan, track, { address, directory: folder }),
      decoder: LEVELS_COMMAND,
    }
  );
}

try {
  const address = join(directory, 'source.mkv');
  makeSource(address);
  const plan = await planSource(address);
  console.log('| unit | encoding | copying | decoding | added |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  const costs = plan.units.flatMap((unit) => {
    const setting = settingOf(plan, unit, address);
    if (!setting) return [];
    const cost = compare(setting);
    printRow(unit.name, cost);
    return [cost];
  });
  printRow('together', total(costs));
} finally {
  rmSync(directory, { recursive: true });
}
