import { randomOf } from '../seeded.ts';

/** Loaded before a worker: its clock jumps so often, half a minute forward or two seconds back, every three seconds. */
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
