import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzz } from './fuzz.ts';

/**
 * `npm run test:fuzz -- [files] [seed] [first]`: spoils so many small files and makes assets of them. A fault
 * is printed with its number; the same seed and `first` make that file again.
 */
const [files = 2000, seed = Date.now() % 1e6, first = 0] = process.argv.slice(2).map(Number);
const directory = await mkdtemp(join(tmpdir(), 'vodstack-fuzz-'));
console.log(`Seed ${seed}, ${files} files from ${first} on.`);
const { ends, faults } = await fuzz(seed, first, files, directory, {
  ffmpeg: 'ffmpeg',
  ffprobe: 'ffprobe',
});
for (const [end, count] of [...ends].sort((a, b) => b[1] - a[1])) console.log(count, end);
for (const fault of faults) console.log(fault);
await rm(directory, { recursive: true });
if (faults.length > 0) process.exitCode = 1;
