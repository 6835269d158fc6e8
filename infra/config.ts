import { z } from 'zod';
import { SOUND_ALONE } from '../core/environment.ts';
import { LADDER } from '../core/model/ladder.ts';
import type { AccessMode } from '../edge/behaviours.ts';
import { siteOf } from '../edge/sites.ts';

/**
 * The memory in MiB that Fargate offers for each number of CPU units: minimum, maximum, step.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
 */
const FARGATE_MEMORY: Readonly<Record<number, readonly [number, number, number]>> = {
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16_384: [32_768, 122_880, 8192],
};

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653];

/** Regions whose ARNs do not begin with `arn:aws:`, and whose CloudFront is another one or does not exist. */
const OTHER_PARTITIONS = /^(cn|us-gov|us-iso[a-z]?|eu-iso[a-z]?)-/;

const ACCESS_MODES = [
  'public-read',
  'public-read-via-cdn',
  'cdn-only',
] as const satisfies readonly AccessMode[];

const integer = (min: number, max: number) =>
  z.int('is not a whole number').min(min, `is less than ${min}`).max(max, `is more than ${max}`);

const matching = (pattern: RegExp, message: string) => z.string().regex(pattern, message);

const oneOf = <Value extends string>(values: readonly Value[]) =>
  z.enum(values, { error: `is none of ${values.join(', ')}` });

const numberOf = (values: readonly number[]) =>
  z.number().refine((value) => values.includes(value), `is none of ${values.join(', ')}`);

/** S3's rules, without dots: those break the certificates of bucket addresses. */
const bucket = matching(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'is not a bucket name');

const amount = z.number().positive('is not more than 0');

const stageSchema = z.strictObject({
  /** Part of every name in AWS. Bucket names leave room for 12 characters. */
  name: matching(/^[a-z][a-z0-9]{0,11}$/, 'is not 1 to 12 lower-case letters and digits'),
  region: matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is not a region').refine(
    (region) => !OTHER_PARTITIONS.test(region),
    'is in another partition than aws (China, GovCloud, isolated regions), which these stacks do not support',
  ),
  /** The only account that the stage may be deployed to. Default: the account of the credentials. */
  accountId: matching(/^\d{12}$/, 'is not 12 digits').optional(),

  /** Origins of pages that may show the videos: `https://site.example`, or `https://*.site.example` for subdomains. */
  allowedSites: z
    .array(
      z
        .string()
        .refine(siteOf, 'is not an origin like https://site.example or https://*.site.example'),
    )
    .min(1, 'is empty: nobody could watch')
    .readonly(),
  /** Who may read the delivery bucket: edge/behaviours.ts. */
  accessMode: oneOf(ACCESS_MODES),
  /** Serves requests without Origin, Referer and Sec-Fetch-Site, as apps and scripts send them. */
  allowNoContext: z.boolean(),
  /** Lets anybody fetch posters, for previews of links to a page. */
  openPosters: z.boolean(),
  /** Requires a token in addresses, which opens one asset for a limited time: `./scripts/play-address`. */
  playbackTokens: z.boolean(),
  /** Where the CDN has edges: 100 is North America, Europe and Israel; All is everywhere. */
  priceClass: oneOf(['PriceClass_100', 'PriceClass_200', 'PriceClass_All']),
  /** A domain of your own for the CDN. You point it at the distribution. */
  domain: z
    .strictObject({
      name: matching(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'is not a domain'),
      certificateArn: matching(
        /^arn:aws:acm:us-east-1:\d{12}:certificate\/.+$/,
        'is not a certificate in us-east-1, the only region that CloudFront takes them from',
      ),
    })
    .optional(),
  /**
   * A web application firewall that blocks an IP address with more requests than this.
   * https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
   */
  firewall: z.strictObject({ requestsPerFiveMinutes: integer(10, 2_000_000_000) }).optional(),

  worker: z.strictObject({
    /** 1024 is one virtual CPU. A unit uses little more than one. */
    cpuUnits: numberOf(Object.keys(FARGATE_MEMORY).map(Number)),
    memoryMiB: z.number(),
    /** ARM64 costs a fifth less. Another architecture needs another image, which the next deploy builds. */
    architecture: oneOf(['X86_64', 'ARM64']),
    /**
     * Percentage of workers on Fargate Spot, for a third of the price. AWS may take such a worker back; its unit is
     * then done again. Below 100 the first worker is always on demand; at 100 the work waits for Spot capacity.
     */
    spotPercent: integer(0, 100),
  }),
  /** Workers that run even without work. 0 costs nothing while nothing is uploaded. */
  minWorkers: integer(0, 1000),
  /** One worker is started for each waiting unit, up to this many. */
  maxWorkers: integer(1, 1000),
  /** Names of rungs. */
  ladder: z
    .array(oneOf(LADDER.map(({ name }) => name)))
    .min(1, 'is empty')
    .readonly(),
  /** Whether a file without video becomes an asset, with its cover or its waveform as the poster. */
  soundAlone: oneOf(SOUND_ALONE),

  /** How long things are kept, in days. */
  retention: z.strictObject({
    /** Parts of uploads that were never completed. */
    abandonedUploads: integer(1, 365),
    /**
     * Plans, markers, results and evidence of jobs. Marks and notes in the work bucket are needed for up to 15 days:
     * core/catalog/deletion.ts, core/model/garbage.ts.
     */
    work: integer(21, 3653),
    /** Sources that were overwritten or deleted. */
    oldSources: integer(1, 3653),
    /** Logs of workers and of the CDN. CloudWatch supports these periods only. */
    logs: numberOf(LOG_DAYS),
  }),
  /** Names of existing buckets to use instead of new ones. They are not configured, and teardown leaves them. */
  existingBuckets: z.strictObject({
    /** Its notifications and CORS rules are replaced. */
    source: bucket.optional(),
    work: bucket.optional(),
    /** Its bucket policy is replaced. */
    delivery: bucket.optional(),
    /** For the CDN's access logs. Its bucket policy is replaced. */
    logs: bucket.optional(),
  }),

  /** The recipient of alarms, who must confirm a mail of AWS first. */
  alarmEmail: z.email('is not a mail address').optional(),
  /** A message that waits this long, or work without progress for this long, is an alarm. At most a day. */
  alarmAfterMinutes: integer(5, 1440),
  /** More traffic than this in a day is an alarm, because traffic is what costs. Gigabytes (1e9 bytes). */
  dailyTrafficGb: amount,
  /** Warns by mail at 80 % of it, and when a forecast exceeds it. US dollars, for the whole account. */
  monthlyBudgetUsd: amount.optional(),

  /** Keeps Terraform's state in this bucket, which the stack `state-<stage>` creates. Default: in local files. */
  state: z.strictObject({ bucket }).optional(),
  /** For a stage with viewers: teardown asks twice, and a deploy demands the settings that infra/readiness.ts lists. */
  protected: z.boolean(),
});

/** One deployed environment. These are the only settings that an operator chooses. */
export type StageConfig = Readonly<z.infer<typeof stageSchema>>;

export type WorkerSize = StageConfig['worker'];

/** A stage from its name, region and sites. Every other setting has a default. */
export function stage(
  settings: Pick<StageConfig, 'name' | 'region' | 'allowedSites'> & Partial<StageConfig>,
): StageConfig {
  return {
    accessMode: 'cdn-only',
    allowNoContext: false,
    openPosters: true,
    playbackTokens: false,
    priceClass: 'PriceClass_100',
    worker: { cpuUnits: 2048, memoryMiB: 4096, architecture: 'X86_64', spotPercent: 80 },
    minWorkers: 0,
    maxWorkers: 10,
    ladder: LADDER.map(({ name }) => name),
    soundAlone: 'taken',
    retention: { abandonedUploads: 7, work: 90, oldSources: 30, logs: 30 },
    existingBuckets: {},
    alarmAfterMinutes: 60,
    dailyTrafficGb: 100,
    protected: false,
    ...settings,
  };
}

/** The buckets that outlive their stage: existing ones, and the one with its state. */
export function keptBuckets({ existingBuckets, state }: StageConfig): readonly string[] {
  const { source, work, delivery, logs } = existingBuckets;
  return [source, work, delivery, logs, state?.bucket].filter((name) => name !== undefined);
}

/**
 * The shipped stages. `dev` can be deployed as it is, for pages on your own machine. The sites of the others
 * are examples, and `prod` lacks settings that a protected stage needs: a deploy lists them.
 */
export const STAGES: readonly StageConfig[] = [
  stage({
    name: 'dev',
    region: 'eu-central-1',
    allowedSites: ['http://localhost:8080'],
    accessMode: 'public-read',
    worker: { cpuUnits: 1024, memoryMiB: 4096, architecture: 'X86_64', spotPercent: 100 },
    maxWorkers: 4,
    retention: { abandonedUploads: 2, work: 30, oldSources: 7, logs: 7 },
    dailyTrafficGb: 20,
  }),
  stage({
    name: 'staging',
    region: 'eu-central-1',
    allowedSites: ['https://staging.example.com'],
    accessMode: 'public-read-via-cdn',
    maxWorkers: 4,
  }),
  stage({
    name: 'prod',
    region: 'eu-central-1',
    allowedSites: ['https://www.example.com', 'https://example.com'],
    maxWorkers: 20,
    retention: { abandonedUploads: 7, work: 365, oldSources: 90, logs: 90 },
    dailyTrafficGb: 500,
    protected: true,
  }),
];

/** Contradictions between fields. The schema cannot have them: zod refines an object only if every field is valid. */
function contradictions(config: StageConfig): readonly string[] {
  const { worker, minWorkers, maxWorkers, monthlyBudgetUsd, alarmEmail } = config;
  const { cpuUnits, memoryMiB } = worker;
  const [min = 0, max = Infinity, step = 1] = FARGATE_MEMORY[cpuUnits] ?? [];
  const buckets = Object.values(config.existingBuckets);
  const mistakes: readonly (readonly [isWrong: boolean, message: string])[] = [
    [
      memoryMiB < min || memoryMiB > max || memoryMiB % step !== 0,
      `worker.memoryMiB must be ${min} to ${max} in steps of ${step} for ${cpuUnits} CPU units`,
    ],
    [minWorkers > maxWorkers, 'minWorkers is more than maxWorkers'],
    [
      monthlyBudgetUsd !== undefined && alarmEmail === undefined,
      'monthlyBudgetUsd can warn nobody: alarmEmail is missing',
    ],
    [new Set(buckets).size < buckets.length, 'existingBuckets names a bucket twice'],
  ];
  return mistakes.flatMap(([isWrong, message]) => (isWrong ? [message] : []));
}

/** Returns the stages unchanged. Throws one Error that names every mistake of every stage. */
export function checkStages(stages: readonly StageConfig[]): readonly StageConfig[] {
  const mistakes = stages.flatMap((config) => {
    const issues = stageSchema.safeParse(config).error?.issues ?? [];
    const wrong = issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    return [...wrong, ...contradictions(config)].map((sentence) => `${config.name}: ${sentence}`);
  });
  const names = stages.map(({ name }) => name);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) < index))) {
    mistakes.push(`${name}: two stages have this name`);
  }
  if (mistakes.length === 0) return stages;
  throw new Error(`There are mistakes in infra/config.ts:\n  ${mistakes.join('\n  ')}`);
}
