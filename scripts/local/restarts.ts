/** When a worker that dies again and again is given up. */
export interface Patience {
  readonly mostDeaths: number;
  readonly withinSeconds: number;
  /** The first pause; each further one is twice as long, up to the longest. */
  readonly firstSeconds: number;
  readonly longestSeconds: number;
}

/**
 * A message that kills its workers is given up before: after MAX_RECEIVES of core/environment.ts, which are further
 * apart than this.
 */
export const PATIENCE: Patience = {
  ...{ mostDeaths: 12, withinSeconds: 300 },
  ...{ firstSeconds: 0.25, longestSeconds: 15 },
};

/**
 * How long to wait before a worker is started again, in seconds; `give up` when it has died too often. The
 * deaths are those since it last got something done, in seconds of any clock; the last of them is now.
 */
export function restartAfter(
  deaths: readonly number[],
  { mostDeaths, withinSeconds, firstSeconds, longestSeconds }: Patience,
): number | 'give up' {
  const now = deaths.at(-1) ?? 0;
  const recent = deaths.filter((at) => now - at < withinSeconds).length;
  if (recent >= mostDeaths) return 'give up';
  return Math.min(longestSeconds, firstSeconds * 2 ** (recent - 1));
}
