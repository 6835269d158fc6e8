import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, requireClip, run } from './measure.ts';

const HELP = `Usage: npm run bench:presets -- CLIP

Prints what each x264 preset costs for 20 s of a clip in 720p at CRF 22: CPU seconds and bit rate, absolute and
relative to medium, and SSIM. Use it to choose X264_PRESET for your own clips.
`;

const [clip] = process.argv.slice(2);
if (!clip || clip === '--help') {
  process.stdout.write(HELP);
  process.exit(clip ? 0 : 2);
}

requireClip(clip);
const PRESETS = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium'];
const directory = mkdtempSync(join(tmpdir(), 'vodstack-presets-'));
const base = ['-nostdin', '-v', 'info', '-nostats', '-y'];
const size = 'scale=-2:720';

function encode(preset: string) {
  const out = join(directory, `${preset}.mp4`);
  const x264 = ['-c:v', 'libx264', '-preset', preset, '-crf', '22', '-x264-params', 'threads=1'];
  const argv = [...base, '-t', '20', '-i', clip ?? '', '-an', '-vf', size, ...x264, out];
  const { cpuSeconds } = measure(() => run('ffmpeg', argv));
  const graph = `[0:v]${size}[a];[a][1:v]ssim`;
  const compare = [
    ...['-t', '20', '-i', clip ?? '', '-i', out],
    ...['-lavfi', graph, '-f', 'null', '-'],
  ];
  const ssim = Number(/All:([\d.]+)/.exec(run('ffmpeg', [...base, ...compare]))?.[1]);
  return { preset, cpuSeconds, bitRate: (statSync(out).size * 8) / 20, ssim };
}

try {
  const rows = PRESETS.map((preset) => {
    process.stderr.write(`${preset} …\n`);
    return encode(preset);
  });
  const medium = rows.at(-1);
  console.log('| preset | CPU s | of medium | kbit/s | of medium | SSIM |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const { preset, cpuSeconds, bitRate, ssim } of rows) {
    const cost = (cpuSeconds / (medium?.cpuSeconds ?? 1)).toFixed(2);
    const bits = (bitRate / (medium?.bitRate ?? 1)).toFixed(2);
    console.log(
      `| ${preset} | ${cpuSeconds.toFixed(1)} | ${cost} x | ${Math.round(bitRate / 1000)} | ${bits} x | ${ssim.toFixed(4)} |`,
    );
  }
} finally {
  rmSync(directory, { recursive: true });
}
