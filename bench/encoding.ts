import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../core/environment.ts';
import { LADDER } from '../core/model/ladder.ts';
import { layoutEnv } from '../core/storage/local/layout.ts';
import { make } from '../test/e2e/clips.ts';
import { measure, requireClip, run } from './measure.ts';

const HELP = `Usage: npm run bench [-- CLIP]

Prints the CPU and wall seconds that the worker needs for a clip, compared with two other ways to make the same
renditions: (a) one hand-written ffmpeg command with one decode, and (b) one ffmpeg for each rendition, then a
segmenting pass. Without a clip, it makes one minute of 1080p.
`;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}

const given = process.argv[2];
if (given) requireClip(given);
const clip = given ?? minute();
const { X264_PRESET: preset, X264_CRF: crf } = readConfig({ ...layoutEnv('/') });
const cores = availableParallelism();
const directory = mkdtempSync(join(tmpdir(), 'vodstack-bench-'));

const ffmpeg = (...argv: readonly string[]) =>
  run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...argv]);

const scaleOf = (shortSide: number) => `scale=-2:${shortSide}`;

const x264 = (maxBitRate: number) => [
  ...['-c:v', 'libx264', '-preset', preset, '-crf', String(crf), '-profile:v', 'high'],
  ...['-maxrate', String(maxBitRate), '-bufsize', String(maxBitRate)],
  ...['-g', '50', '-keyint_min', '50', '-sc_threshold', '0', '-pix_fmt', 'yuv420p'],
];

const segments = ['-f', 'hls', '-hls_time', '6', '-hls_playlist_type', 'vod'];

function byHand(): void {
  const out = fresh('by-hand');
  const names = LADDER.map((_, index) => `[v${index}]`);
  const graph = [
    `[0:v]split=${LADDER.length}${LADDER.map((_, index) => `[s${index}]`).join('')}`,
    ...LADDER.map(
      ({ shortSide }, index) => `[s${index}]${scaleOf(shortSide)}${names[index] ?? ''}`,
    ),
  ].join(';');
  const outputs = LADDER.flatMap(({ name, maxBitRate }, index) => [
    ...['-map', names[index] ?? '', ...x264(maxBitRate), ...segments, join(out, `${name}.m3u8`)],
  ]);
  const sound = [
    ...['-map', '0:a?', '-c:a', 'aac', '-b:a', '128k'],
    ...[...segments, join(out, 'audio.m3u8')],
  ];
  ffmpeg('-i', clip, '-filter_complex', graph, ...outputs, ...sound);
}

function byRendition(): void {
  const out = fresh('by-rendition');
  for (const { name, shortSide, maxBitRate } of LADDER) {
    const file = join(out, `${name}.mp4`);
    ffmpeg(
      ...['-i', clip, '-vf', scaleOf(shortSide), ...x264(maxBitRate)],
      ...['-c:a', 'aac', '-b:a', '128k', file],
    );
    ffmpeg('-i', file, '-c', 'copy', ...segments, join(out, `${name}.m3u8`));
  }
}

function vodstack(workers: number): void {
  const program = fileURLToPath(new URL('../scripts/cli/main.ts', import.meta.url));
  run(process.execPath, [
    ...['--disable-warning=ExperimentalWarning', program, 'start', '--once', '--port', '0'],
    ...['--data', join(directory, `data-${workers}`), '--workers', String(workers), clip],
  ]);
}

function fresh(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

/** Makes a minute of moving detail, so the encoder has work to do. */
function minute(): string {
  process.stderr.write('Making a minute of 1080p …\n');
  return make('bench.mp4', [
    ...['-f', 'lavfi', '-i', 'mandelbrot=s=1920x1080:r=25:end_scale=0.01,noise=alls=8:allf=t'],
    ...['-f', 'lavfi', '-i', 'sine=440:r=48000', '-t', '60', '-pix_fmt', 'yuv420p'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18', '-c:a', 'aac'],
  ]);
}

try {
  const ways = [
    ['(a) one command, by hand', byHand],
    ['(b) one ffmpeg for each rendition', byRendition],
    ['vodstack, one worker', () => vodstack(1)],
    [`vodstack, ${cores} workers`, () => vodstack(cores)],
  ] as const;
  const rows = ways.map(([way, work]) => {
    process.stderr.write(`${way} …\n`);
    return { way, ...measure(work) };
  });
  const [hand] = rows;
  const relative = (value: number, to: number) => `${(value / to).toFixed(2)} x`;
  console.log(
    `| ${given ? 'clip' : 'a minute of 1080p'}, x264 ${preset} | CPU s | of (a) | wall s | of (a) |`,
  );
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const { way, cpuSeconds, wallSeconds } of rows) {
    const share = hand
      ? [relative(cpuSeconds, hand.cpuSeconds), relative(wallSeconds, hand.wallSeconds)]
      : ['', ''];
    console.log(
      `| ${way} | ${cpuSeconds.toFixed(1)} | ${share[0] ?? ''} | ${wallSeconds.toFixed(1)} | ${share[1] ?? ''} |`,
    );
  }
  console.log('\nvodstack also makes the poster, the thumbnails and the storyboard.');
} finally {
  rmSync(directory, { recursive: true });
}
