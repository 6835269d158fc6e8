import { randomOf } from '../seeded.ts';

/** Preloaded into a worker: every 3 s its clock jumps 30 s forward or 2 s back, CLOCK_JUMPS times in all. */
const random = randomOf(process.env['CLOCK_SEED'] ?? '');
let jumps = Number(process.env['CLOCK_JUMPS']);
const now = Date.now.bind(Date);
let aheadMilliseconds = 0;
Date.now = () => now() + aheadMilliseconds;
setInterval(() => {
  if (jumps <= 0) return;
  jumps -= 1;
  aheadMilliseconds += random() < 0.5 ? 30_000 : -2000;
}, 3000).unref();
