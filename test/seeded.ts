import { createHash } from 'node:crypto';

/** Numbers from 0 to 1 that follow from a name: the same ones in every run. */
export function randomOf(name: string): () => number {
  let state = createHash('sha256').update(name).digest();
  return () => {
    state = createHash('sha256').update(state).digest();
    return state.readUInt32BE(0) / 2 ** 32;
  };
}
