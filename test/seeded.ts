import { createHash } from 'node:crypto';

/** A generator of random numbers from 0 to 1. The same name gives the same numbers. */
export function randomOf(name: string): () => number {
  let state = createHash('sha256').update(name).digest();
  return () => {
    state = createHash('sha256').update(state).digest();
    return state.readUInt32BE(0) / 2 ** 32;
  };
}
