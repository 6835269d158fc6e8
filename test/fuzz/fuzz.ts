import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { clip } from '../e2e/clips.ts';
import { watchMemory } from '../memory.ts';
import { endSchema } from './batch.ts';
import type { Batch, End } from './batch.ts';
import { escapesOf, touchesOf, traced } from './trace.ts';

export interface FuzzResult {
  /** The number of files by result. */
  readonly ends: Readonly<Record<string, number>>;
  /** Unacceptable events, with the number of the file, which can be made again from the seed. */
  readonly faults: readonly string[];
  /** Results that the worker reports, but that need a person. */
  readonly notes: readonly string[];
  /** The peak memory of one process, by program, in bytes. */
  readonly peaks: Readonly<Record<string, number>>;
}

/** The files that are corrupted, by container, with their encoder arguments. */
const CONTAINERS: Readonly<Record<string, readonly string[]>> = {
  'a.mp4': [],
  'a.mkv': [],
  'a.ts': [],
  'a.mov': ['-c:v', 'mjpeg'],
  'a.avi': ['-c:v', 'mpeg4', '-c:a', 'mp3'],
  'a.mpg': ['-c:v', 'mpeg2video', '-r', '25', '-c:a', 'mp2', '-f', 'mpeg'],
  'fragmented.mp4': ['-movflags', '+frag_keyframe+empty_moov'],
};

/** Makes playlists that refer to a file outside the source's folder, and to a URL. */
export async function makeBait(directory: string): Promise<readonly string[]> {
  const [canary, address] = [join(directory, 'canary.ts'), 'http://127.0.0.1:9/canary.ts'];
  await writeFile(canary, await readFile(clip({ name: 'a.ts', ...TINY })));
  const lists = {
    'list.ffconcat': `ffconcat version 1.0\nfile '${canary}'\nfile '${address}'\n`,
    'list.m3u8': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${canary}\n#EXTINF:1,\n${address}\n#EXT-X-ENDLIST\n`,
  };
  for (const [name, text] of Object.entries(lists)) await writeFile(join(directory, name), text);
  return Object.keys(lists).map((name) => join(directory, name));
}

const TINY = { seconds: 1, size: '64x36', rate: '10' };

/** The trace of a batch takes about 20 MB. */
const BATCH_FILES = 100;
/** The limit between two results: twice the time that one file may take. */
const MAX_SILENCE_SECONDS = 120;

/**
 * Corrupts small files, in the same way for the same seed, and lets a worker probe, plan and encode them. Traces that
 * they write only to `directory`, which must be empty.
 */
export async function fuzz(
  { seed, first, count }: Readonly<Record<'seed' | 'first' | 'count', number>>,
  directory: string,
  onBatch: (done: number) => void = () => {},
): Promise<FuzzResult> {
  const sources = Object.entries(CONTAINERS).map(([name, more]) => clip({ name, ...TINY, more }));
  const whole = [...(await makeBait(directory)), ...sources];
  const ends: Record<string, number> = {};
  const peaks: Record<string, number> = {};
  const faults: string[] = [];
  const notes: string[] = [];
  for (let from = first; from < first + count; from += BATCH_FILES) {
    const files = Math.min(BATCH_FILES, first + count - from);
    const folder = join(directory, String(from));
    await mkdir(folder);
    const ran = await runBatch({
      directory: folder,
      seed,
      first: from,
      count: files,
      whole,
      sources,
    });
    for (const { index, path, end, why } of ran.ends) {
      ends[end] = (ends[end] ?? 0) + 1;
      if (why)
        (end === 'fault' ? faults : notes).push(`${index} (${basename(path)}), ${end}: ${why}`);
    }
    for (const [name, bytes] of ran.peaks) peaks[name] = Math.max(bytes, peaks[name] ?? 0);
    faults.push(...new Set(ran.faults));
    if (ran.ends.length < files) {
      faults.push(`Of the ${files} files from ${from} on, only ${ran.ends.length} have a result.`);
    }
    await rm(folder, { recursive: true });
    onBatch(from + files - first);
  }
  return { ends, faults, notes, peaks };
}

async function runBatch(batch: Batch) {
  const trace = `${batch.directory}.trace`;
  const entry = fileURLToPath(new URL('worker.ts', import.meta.url));
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', entry];
  const [program, ...argv] = traced(trace, [...node, JSON.stringify(batch)]);
  const faults: string[] = [];
  const ends: End[] = [];
  // A process group of its own, so that all processes can be killed at once.
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const watch = setTimeout(() => {
    faults.push(`There was no result within ${MAX_SILENCE_SECONDS} s.`);
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  }, MAX_SILENCE_SECONDS * 1000);
  const peaks = watchMemory(child.pid ?? 0);
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    watch.refresh();
    ends.push(endSchema.parse(JSON.parse(line)));
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const read = once(lines, 'close');
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  await read;
  clearTimeout(watch);
  if (code !== 0) faults.push(`The worker ended with ${code ?? signal}: ${stderr.slice(-2000)}`);
  faults.push(...escapesOf(touchesOf(await readFile(trace, 'utf8')), batch.directory));
  await rm(trace);
  return { ends, faults, peaks: peaks() };
}

/** Formats the counts, peaks, notes and faults of a run. */
export function describeFuzz({ ends, peaks, notes, faults }: FuzzResult): string {
  const counts = Object.entries(ends).sort(([, a], [, b]) => b - a);
  return [
    ...counts.map(([end, count]) => `${String(count).padStart(5)} ${end}`),
    ...Object.entries(peaks).map(
      ([name, bytes]) => `${name}: at most ${(bytes / 2 ** 20).toFixed(0)} MiB`,
    ),
    ...notes,
    `${faults.length} faults`,
    ...faults,
  ].join('\n');
}
