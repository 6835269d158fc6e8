import { randomOf } from '../seeded.ts';

/** Returns the bytes with some of them changed, moved or cut off, mostly in the headers. The same name gives the same changes. */
export function corrupt(bytes: Buffer, name: string): Buffer {
  const random = randomOf(name);
  const copy = Buffer.from(bytes);
  const near = () => {
    const where = random();
    // Headers are at the start and at the end.
    const share = where < 0.4 ? random() * 0.05 : where < 0.8 ? 1 - random() * 0.2 : random();
    return Math.min(copy.length - 9, Math.floor(share * copy.length));
  };
  const EXTREME = [0, 1, 0x7f, 0x80, 0xff];
  for (let changes = 1 + Math.floor(random() * 12); changes > 0; changes -= 1) {
    const at = near();
    const kind = random();
    if (kind < 0.5) copy[at] = Math.floor(random() * 256);
    else if (kind < 0.8) copy.fill(EXTREME[Math.floor(random() * EXTREME.length)] ?? 0, at, at + 4);
    else copy.copyWithin(at, near(), near());
  }
  return random() < 0.1 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy;
}
