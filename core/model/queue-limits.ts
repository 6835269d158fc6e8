/**
 * The visibility timeout: a message stays hidden from other workers for this long. Its worker extends the timeout
 * each third of it, so that a unit may take any time. Another worker gets the message of a lost worker when it has
 * passed.
 */
export const VISIBILITY_SECONDS = 120;

/**
 * A worker gives a message up, with a report, when it has been received this often: the workers before it died. Work
 * that fails while its worker survives is counted apart (MAX_FAILURES, core/environment.ts).
 */
export const MAX_RECEIVES = 20;

/**
 * The queue itself moves a message to the dead letters after this many receives, without a report. This is well above
 * MAX_RECEIVES, and only meant for workers that die while they report.
 */
export const REDRIVE_RECEIVES = MAX_RECEIVES + 10;
