import { tmpdir } from 'node:os';
import { z } from 'zod';
import { LADDER } from './model/ladder.ts';
import { MAX_RECEIVES, REDRIVE_RECEIVES, VISIBILITY_SECONDS } from './model/queue-limits.ts';
import { LOG_LEVELS } from './log.ts';

/**
 * The worker's environment: one contract for whoever starts a worker, this machine's `local/` and
 * the task definition in the cloud alike. All values are strings, as an environment's are.
 */
export interface WorkerEnv {
  /**
   * `file:/absolute/folder` for one machine; `aws:` for S3 and SQS, with region and credentials as the
   * AWS SDK finds them. Its variable AWS_ENDPOINT_URL leads to any other service that speaks both.
   */
  readonly VODSTACK_HOME: string;
  readonly SOURCE_BUCKET: string;
  readonly WORK_BUCKET: string;
  readonly DELIVERY_BUCKET: string;
  /** A queue's name on one machine, its address with `aws:`. Uploads, jobs, and the units that come first. */
  readonly JOB_QUEUE: string;
  /** The units that can wait: core/model/precedence.ts. */
  readonly UNIT_QUEUE: string;
  readonly DEAD_LETTER_QUEUE: string;
  readonly EVENT_QUEUE: string;
  /** How often the work on a message may fail before it is given up and told of. */
  readonly MAX_FAILURES?: string;
  /**
   * How often a message is delivered to workers that end without a word, as they are killed, before it is given
   * up and told of; the queue's own redrive has to be higher.
   */
  readonly MAX_RECEIVES?: string;
  /** How long a silent worker keeps a message; it is extended every third of it. */
  readonly VISIBILITY_SECONDS?: string;
  /** The first retry's delay; each further one waits twice as long. */
  readonly RETRY_SECONDS?: string;
  /** Names of rungs, separated by commas; all of them by default. */
  readonly LADDER?: string;
  readonly X264_PRESET?: string;
  readonly X264_CRF?: string;
  /** Whether a file of sound alone becomes an asset: `taken` by default, or `refused`. */
  readonly SOUND_ALONE?: string;
  readonly MAX_SOURCE_HOURS?: string;
  readonly MAX_SOURCE_GIB?: string;
  readonly MAX_PICTURE_MEGAPIXELS?: string;
  /** An encoder that says nothing for so long is killed, and its unit tried again. */
  readonly STALL_SECONDS?: string;
  /** Scratch space; a unit's files are gone when it ends. */
  readonly WORK_DIRECTORY?: string;
  readonly FFMPEG?: string;
  readonly FFPROBE?: string;
  readonly LOG_LEVEL?: string;
  /** Set by ECS in its tasks: where a worker asks not to be stopped while it is at work. */
  readonly ECS_AGENT_URI?: string;
  /** Where CloudWatch counts what it reads from the log; without it, the log has no metrics. */
  readonly METRICS_NAMESPACE?: string;
}

export type WorkerConfig = Readonly<z.infer<typeof environment>>;

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

const whole = (least: number, most: number, usual: number) =>
  z.coerce
    .number({ error: `is not a number` })
    .int('is not a whole number')
    .min(least, `is less than ${least}`)
    .max(most, `is more than ${most}`)
    .default(usual);

const name = z.string({ error: 'is missing' }).min(1, 'is empty');

const rungs = LADDER.map((rung) => rung.name);

const environment = z.object({
  VODSTACK_HOME: z
    .string({ error: 'is missing' })
    .regex(/^(file:\/.+|aws:)$/, 'is neither file:/absolute/folder nor aws:'),
  SOURCE_BUCKET: name,
  WORK_BUCKET: name,
  DELIVERY_BUCKET: name,
  JOB_QUEUE: name,
  UNIT_QUEUE: name,
  DEAD_LETTER_QUEUE: name,
  EVENT_QUEUE: name,
  MAX_FAILURES: whole(1, 100, 5),
  MAX_RECEIVES: whole(2, REDRIVE_RECEIVES - 1, MAX_RECEIVES),
  // SQS allows 12 hours; below 3 s a heartbeat a second could come too late.
  VISIBILITY_SECONDS: whole(3, 43_200, VISIBILITY_SECONDS),
  RETRY_SECONDS: whole(1, 900, 10),
  LADDER: z
    .string()
    .default(rungs.join(','))
    .transform((text) => text.split(',').map((rung) => rung.trim()))
    .refine((names) => names.every((rung) => rungs.includes(rung)), {
      error: `names a rung that is none of ${rungs.join(', ')}`,
    }),
  X264_PRESET: z
    .enum(PRESETS, { error: `is none of ${PRESETS.join(', ')}` })
    // Chosen by measuring: bench/presets, and docs/adr/0006-x264-preset.md.
    .default('veryfast'),
  X264_CRF: whole(0, 51, 22),
  SOUND_ALONE: z
    .enum(SOUND_ALONE, { error: `is neither ${SOUND_ALONE.join(' nor ')}` })
    .default('taken'),
  // A transport stream's clock has 33 bits of 90 kHz: it starts over after 26.5 hours.
  MAX_SOURCE_HOURS: whole(1, 16, 12),
  MAX_SOURCE_GIB: whole(1, 5_120, 100),
  // 8K is 33 megapixels; one decoded picture of it takes 50 MB, and ffmpeg holds a few dozen.
  MAX_PICTURE_MEGAPIXELS: whole(1, 200, 36),
  STALL_SECONDS: whole(1, 3_600, 120),
  WORK_DIRECTORY: z.string().min(1, 'is empty').default(tmpdir()),
  FFMPEG: z.string().min(1, 'is empty').default('ffmpeg'),
  FFPROBE: z.string().min(1, 'is empty').default('ffprobe'),
  ECS_AGENT_URI: z.url('is no address').optional(),
  METRICS_NAMESPACE: z.string().min(1, 'is empty').optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `is none of ${LOG_LEVELS.join(', ')}` }).default('info'),
});

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
