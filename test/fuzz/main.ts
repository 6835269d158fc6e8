import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeFuzz, fuzz } from './fuzz.ts';
import { whyUntraceable } from './trace.ts';

/**
 * `npm run test:fuzz -- [files] [seed] [first]`: corrupts that many small files and lets a worker make assets of them,
 * under a tracer. Each fault is printed with the number of its file, which the same seed and `first` reproduce.
 */
const [count = 2000, seed = Date.now() % 1e6, first = 0] = process.argv.slice(2).map(Number);
const reason = whyUntraceable();
if (reason) throw new Error(`The run cannot be traced: ${reason}`);
const directory = await mkdtemp(join(await realpath(tmpdir()), 'vodstack-fuzz-'));
const started = performance.now();
console.log(`Seed ${seed}, ${count} files, the first is ${first}.`);
const result = await fuzz({ seed, first, count }, directory, (done) => console.log(`${done} …`));
console.log(describeFuzz(result));
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
await rm(directory, { recursive: true });
if (result.faults.length > 0) process.exitCode = 1;
