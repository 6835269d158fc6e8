import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Clips are made by ffmpeg, once for each test run's machine; the same name is the same clip. */
const directory = join(tmpdir(), 'vodstack-clips-1');

/** A moving picture with noise, so that an encoder has something to do, and a tone. */
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

/** A file made by ffmpeg's arguments, under that name. */
export function make(name: string, argv: readonly string[]): string {
  const path = join(directory, name);
  if (existsSync(path)) return path;
  mkdirSync(directory, { recursive: true });
  const draft = join(directory, `${process.pid}-${name}`);
  execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...argv, draft]);
  renameSync(draft, path);
  return path;
}
