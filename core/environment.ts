import { tmpdir } from 'node:os';
import { z } from 'zod';
import { LOG_LEVELS } from './log.ts';
import { LADDER } from './model/ladder.ts';
import { MAX_RECEIVES, REDRIVE_RECEIVES, VISIBILITY_SECONDS } from './model/queue-limits.ts';
import type { Parsed } from './model/schema.ts';

export const SOUND_ALONE = ['taken', 'refused'] as const;

const PRESETS = [
  'ultrafast',
  'superfast',
  'veryfast',
  'faster',
  'fast',
  'medium',
  'slow',
  'slower',
  'veryslow',
] as const;

const whole = (min: number, max: number, fallback: number) =>
  z.coerce
    .number<string>({ error: `is not a number` })
    .int('is not a whole number')
    .min(min, `is less than ${min}`)
    .max(max, `is more than ${max}`)
    .default(fallback);

const name = z.string({ error: 'is missing' }).min(1, 'is empty');

const rungs = LADDER.map((rung) => rung.name);

const environment = z.object({
  /**
   * The storage backend: `file:/absolute/folder` for one machine, `aws:` for S3 and SQS with region and credentials
   * as the AWS SDK finds them. The SDK's variable AWS_ENDPOINT_URL selects another service with the same API. (The
   * name is older than the word backend; deployed stages use it.)
   */
  VODSTACK_HOME: z
    .string({ error: 'is missing' })
    .regex(/^(file:\/.+|aws:)$/, 'is neither file:/absolute/folder nor aws:'),
  SOURCE_BUCKET: name,
  WORK_BUCKET: name,
  DELIVERY_BUCKET: name,
  /** A queue's name on one machine, its URL with `aws:`. Uploads, jobs, and the units that come first. */
  JOB_QUEUE: name,
  /** Units that can wait: core/model/precedence.ts. */
  UNIT_QUEUE: name,
  DEAD_LETTER_QUEUE: name,
  EVENT_QUEUE: name,
  /** The work on a message is given up, with a report, after it has failed this often. */
  MAX_FAILURES: whole(1, 100, 5),
  /** A message is given up, with a report, after this many receives: see core/model/queue-limits.ts. */
  MAX_RECEIVES: whole(2, REDRIVE_RECEIVES - 1, MAX_RECEIVES),
  /** SQS allows 12 hours. Below 3 s, a timeout extended once a second could expire. */
  VISIBILITY_SECONDS: whole(3, 43_200, VISIBILITY_SECONDS),
  /** The delay of the first retry. Each further delay is twice as long. */
  RETRY_SECONDS: whole(1, 900, 10),
  /** Names of rungs, separated by commas. */
  LADDER: z
    .string()
    .default(rungs.join(','))
    .transform((text) => text.split(',').map((rung) => rung.trim()))
    .refine((names) => names.every((rung) => rungs.includes(rung)), {
      error: `names a rung that is none of ${rungs.join(', ')}`,
    }),
  /** The default was chosen by measurements: bench/presets, docs/adr/0006-x264-preset.md. */
  X264_PRESET: z.enum(PRESETS, { error: `is none of ${PRESETS.join(', ')}` }).default('veryfast'),
  X264_CRF: whole(0, 51, 22),
  /** Whether a file of sound alone becomes an asset. */
  SOUND_ALONE: z
    .enum(SOUND_ALONE, { error: `is neither ${SOUND_ALONE.join(' nor ')}` })
    .default('taken'),
  /** A transport stream's clock has 33 bits of 90 kHz: it starts over after 26.5 hours. */
  MAX_SOURCE_HOURS: whole(1, 16, 12),
  MAX_SOURCE_GIB: whole(1, 5_120, 100),
  /** 8K is 33 megapixels. One decoded picture of it takes 50 MB, and ffmpeg holds a few dozen. */
  MAX_PICTURE_MEGAPIXELS: whole(1, 200, 36),
  /** An encoder without progress for this long is killed, and its unit is tried again. */
  STALL_SECONDS: whole(1, 3_600, 120),
  /** Scratch space. The files of a unit are removed when it ends. */
  WORK_DIRECTORY: z.string().min(1, 'is empty').default(tmpdir()),
  FFMPEG: z.string().min(1, 'is empty').default('ffmpeg'),
  FFPROBE: z.string().min(1, 'is empty').default('ffprobe'),
  /** Set by ECS in its tasks: the address at which a working task asks not to be stopped. */
  ECS_AGENT_URI: z.url('is no address').optional(),
  /** The namespace of the metrics that CloudWatch reads from the log. Without it the log has no metrics. */
  METRICS_NAMESPACE: z.string().min(1, 'is empty').optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `is none of ${LOG_LEVELS.join(', ')}` }).default('info'),
});

type Input = z.input<typeof environment>;

/**
 * The environment of a worker: one contract for everything that starts workers, the command line on one machine and
 * the task definition in the cloud alike. All values are strings.
 */
export type WorkerEnv = { readonly [Name in keyof Input]: NonNullable<Input[Name]> };

/** The same, parsed. */
export type WorkerConfig = Parsed<typeof environment>;

const address = z
  .string({ error: 'is missing' })
  .regex(/^https?:\/\/[^/]+\/.+/, 'is not the address of an SQS queue');

const cloudEnvironment = environment.extend({
  JOB_QUEUE: address,
  UNIT_QUEUE: address,
  DEAD_LETTER_QUEUE: address,
  EVENT_QUEUE: address,
});

/** Reads the environment once; throws one Error that names every variable that is missing or wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): WorkerConfig {
  const schema = env['VODSTACK_HOME'] === 'aws:' ? cloudEnvironment : environment;
  const read = schema.safeParse(env);
  if (read.success) return read.data;
  const wrong = read.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
  throw new Error(`The worker's environment is not complete:\n${wrong.join('\n')}`);
}
