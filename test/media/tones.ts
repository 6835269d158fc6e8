import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const RATE = 48_000;

/**
 * The amplitudes of tones in the left and right channel of a file's sound; 1 is full scale. Ignores the first and last
 * tenth of a second, as encoders fade there.
 */
export async function toneLevels(
  file: string,
  frequencies: readonly number[],
  { map = '0:a:0' }: { map?: string } = {},
): Promise<{ readonly left: readonly number[]; readonly right: readonly number[] }> {
  const argv = [
    '-nostdin',
    '-v',
    'error',
    '-i',
    file,
    '-map',
    map,
    '-ac',
    '2',
    '-ar',
    String(RATE),
  ];
  const { stdout } = await run('ffmpeg', [...argv, '-f', 'f32le', 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: 2 ** 28,
  });
  const edge = RATE / 10;
  const samples = stdout.length / 8 - 2 * edge;
  const level = (frequency: number, channel: number) => {
    let [sine, cosine] = [0, 0];
    for (let at = 0; at < samples; at += 1) {
      const value = stdout.readFloatLE(((at + edge) * 2 + channel) * 4);
      const angle = (2 * Math.PI * frequency * at) / RATE;
      sine += value * Math.sin(angle);
      cosine += value * Math.cos(angle);
    }
    return (2 * Math.hypot(sine, cosine)) / samples;
  };
  const [left = [], right = []] = [0, 1].map((channel) =>
    frequencies.map((frequency) => level(frequency, channel)),
  );
  return { left, right };
}
