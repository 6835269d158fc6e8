/** How a worker that keeps exiting is restarted, and when to give up. */
export interface RestartPolicy {
  readonly maxExits: number;
  readonly windowSeconds: number;
  /** The first delay; each further one is twice as long, up to the maximum. */
  readonly initialDelaySeconds: number;
  readonly maxDelaySeconds: number;
}

/**
 * A message that crashes its workers becomes a dead letter before that: its receives (MAX_RECEIVES in core/environment.ts)
 * are further apart than these delays.
 */
export const RESTART_POLICY: RestartPolicy = {
  maxExits: 12,
  windowSeconds: 300,
  initialDelaySeconds: 0.25,
  maxDelaySeconds: 15,
};

/**
 * Returns how many seconds to wait before a worker is restarted, or `give up` if it has exited too often. `exits` are the
 * times of its exits since it last completed any work, in seconds of any clock; the last one is now.
 */
export function restartDelay(
  exits: readonly number[],
  { maxExits, windowSeconds, initialDelaySeconds, maxDelaySeconds }: RestartPolicy,
): number | 'give up' {
  const now = exits.at(-1) ?? 0;
  const recent = exits.filter((at) => now - at < windowSeconds).length;
  if (recent >= maxExits) return 'give up';
  return Math.min(maxDelaySeconds, initialDelaySeconds * 2 ** (recent - 1));
}
