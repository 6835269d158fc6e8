import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Clips are kept between runs: their folders are named after the arguments that made them. */
const directory = fileURLToPath(
  new URL('../../node_modules/.cache/vodstack-clips', import.meta.url),
);

/** A moving test picture and a tone. */
export function clip(options: {
  readonly name: string;
  readonly seconds: number;
  readonly size?: string;
  readonly rate?: string;
  readonly sound?: boolean;
  /** Further output options. */
  readonly more?: readonly string[];
}): string {
  const { name, seconds, size = '640x360', rate = '25', sound = true, more = [] } = options;
  const inputs = ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`];
  if (sound) inputs.push('-f', 'lavfi', '-i', `sine=440:d=${seconds}:r=48000`);
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-c:a', 'aac'];
  return make(name, [...inputs, ...codecs, ...more]);
}

/** Makes a file with ffmpeg, if it is not there yet; returns its path. */
export function make(name: string, argv: readonly string[]): string {
  const made = createHash('sha256').update(JSON.stringify(argv)).digest('hex').slice(0, 12);
  const path = join(directory, made, name);
  if (existsSync(path)) return path;
  mkdirSync(join(directory, made), { recursive: true });
  const draft = join(directory, made, `${process.pid}-${name}`);
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...argv, draft]);
  renameSync(draft, path);
  return path;
}
