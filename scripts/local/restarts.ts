/** When a worker that dies again and again is given up. */
export interface RestartPolicy {
  readonly maxExits: number;
  readonly windowSeconds: number;
  /** The first pause; each further one is twice as long, up to the longest. */
  readonly initialDelaySeconds: number;
  readonly maxDelaySeconds: number;
}

/**
 * A message that kills its workers is given up before: after MAX_RECEIVES of core/environment.ts, which are further
 * apart than this.
 */
export const RESTART_POLICY: RestartPolicy = {
  ...{ maxExits: 12, windowSeconds: 300 },
  ...{ initialDelaySeconds: 0.25, maxDelaySeconds: 15 },
};

/**
 * How long to wait before a worker is started again, in seconds; `give up` when it has died too often. The
 * deaths are those since it last got something done, in seconds of any clock; the last of them is now.
 */
export function restartDelay(
  deaths: readonly number[],
  { maxExits, windowSeconds, initialDelaySeconds, maxDelaySeconds }: RestartPolicy,
): number | 'give up' {
  const now = deaths.at(-1) ?? 0;
  const recent = deaths.filter((at) => now - at < windowSeconds).length;
  if (recent >= maxExits) return 'give up';
  return Math.min(maxDelaySeconds, initialDelaySeconds * 2 ** (recent - 1));
}
