import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeFuzz, fuzz } from './fuzz.ts';
import { whyUntraced } from './trace.ts';

/**
 * `npm run test:fuzz -- [files] [seed] [first]`: spoils so many small files and has a worker make assets of
 * them, under a tracer. A fault is printed with its number; the same seed and `first` make that file again.
 */
const [count = 2000, seed = Date.now() % 1e6, first = 0] = process.argv.slice(2).map(Number);
const why = whyUntraced();
if (why) throw new Error(`The run cannot be watched: ${why}`);
const directory = await mkdtemp(join(await realpath(tmpdir()), 'vodstack-fuzz-'));
const started = performance.now();
console.log(`Seed ${seed}, ${count} files from ${first} on.`);
const result = await fuzz({ seed, first, count }, directory, (done) => console.log(`${done} …`));
console.log(describeFuzz(result));
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
await rm(directory, { recursive: true });
if (result.faults.length > 0) process.exitCode = 1;
