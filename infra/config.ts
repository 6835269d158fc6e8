import { z } from 'zod';
import type { AccessMode } from '../edge/behaviours.ts';
import { siteOf } from '../edge/sites.ts';
import { SOUND_ALONE } from '../core/environment.ts';
import { LADDER } from '../core/model/ladder.ts';

/** One deployed environment: the only numbers an operator tunes. */
export interface StageConfig {
  /** At most 12 lower-case letters and digits: names of buckets begin with it. */
  readonly name: string;
  readonly region: string;
  /** The only account it may be deployed to; without it, whichever the credentials belong to. */
  readonly accountId?: string;

  /** Origins of the pages that may show the videos: `https://site.example`, or `https://*.site.example` for all its subdomains. */
  readonly allowedSites: readonly string[];
  readonly accessMode: AccessMode;
  /** Serves also who says nothing of where a request comes from, as apps and scripts do. */
  readonly allowNoContext: boolean;
  /** Lets anybody fetch posters, so that links to a page have a preview. */
  readonly openPosters: boolean;
  /** An asset is fetched with a token in its address, too, that opens it alone and for a while: `./scripts/play-address`. */
  readonly playbackTokens: boolean;
  /** Where the CDN has edges; 100 is North America, Europe and Israel, All everywhere. */
  readonly priceClass: (typeof PRICE_CLASSES)[number];
  /** A name of yours for the CDN, and its certificate in us-east-1. You point the name at the distribution. */
  readonly domain?: { readonly name: string; readonly certificateArn: string };
  /** A web application firewall that turns away an address with more requests than this in five minutes. */
  readonly firewall?: { readonly requestsPerFiveMinutes: number };

  readonly worker: WorkerSize;
  /** Workers that run without work; 0 costs nothing while nothing is uploaded. */
  readonly minWorkers: number;
  /** One worker is started for each unit of work that waits, up to so many. */
  readonly maxWorkers: number;
  /** Names of rungs. */
  readonly ladder: readonly string[];
  /** Whether a file of sound alone becomes an asset, with its cover or its waveform as the poster. */
  readonly soundAlone: (typeof SOUND_ALONE)[number];

  readonly retention: Retention;
  /** Names of buckets that exist already. They are used as they are, and teardown leaves them. */
  readonly existingBuckets: ExistingBuckets;

  /** Who is told of alarms; the address must confirm a mail of AWS first. */
  readonly alarmEmail?: string;
  /** A message that waits so long, or work without any progress for so long, is an alarm. Minutes. */
  readonly alarmAfterMinutes: number;
  /** More traffic than this in a day is an alarm: it is what costs. Gigabytes (1e9 bytes). */
  readonly dailyTrafficGb: number;
  /** Warns by mail at 80 % of it and when it is likely to be passed. US dollars, of the whole account. */
  readonly monthlyBudgetUsd?: number;

  /** Keeps Terraform's state in this bucket, which the stack `state-<stage>` makes; without it, in files here. */
  readonly state?: { readonly bucket: string };
  /**
   * People watch what is there: teardown asks twice, and a deploy demands alarmEmail, monthlyBudgetUsd, state
   * and accountId (infra/readiness.ts).
   */
  readonly protected: boolean;
}

export interface WorkerSize {
  /** 1024 is one virtual processor. A unit uses little more than one. */
  readonly cpuUnits: number;
  /** Fargate allows certain sizes for each number of processors only. */
  readonly memoryMiB: number;
  /** ARM64 costs a fifth less. Another architecture is another image, which the next deploy builds. */
  readonly architecture: 'X86_64' | 'ARM64';
  /** So many workers in a hundred run on spare capacity, for a third of the price; AWS may take them back, and the unit is done again. Below 100 the first worker is always on demand; at 100 the work waits while AWS has no spare capacity. */
  readonly spotPercent: number;
}

/** How long things are kept, in days. */
export interface Retention {
  /** Parts of uploads that nobody completed. */
  readonly abandonedUploads: number;
  /** Plans, markers, results and evidence of jobs. */
  readonly work: number;
  /** Sources that were overwritten or deleted. */
  readonly oldSources: number;
  /** Logs of workers and of the edge; one of the spans that CloudWatch knows. */
  readonly logs: number;
}

export interface ExistingBuckets {
  /** Its notifications and CORS rules become this stage's: others on it are lost. */
  readonly source?: string;
  readonly work?: string;
  /** Its policy becomes this stage's. */
  readonly delivery?: string;
  /** Of the edge's access logs. Its policy becomes this stage's. */
  readonly logs?: string;
}

const PRICE_CLASSES = ['PriceClass_100', 'PriceClass_200', 'PriceClass_All'] as const;

type StageChoice = Pick<StageConfig, 'name' | 'region' | 'allowedSites'> & Partial<StageConfig>;

/** A stage from what makes it different: where, for which sites, and whatever else is given. */
export function stage(choice: StageChoice): StageConfig {
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
    ...choice,
  };
}

/** Buckets that outlive their stage: those that were there before, and the one that keeps its state. */
export function keptBuckets({ existingBuckets, state }: StageConfig): readonly string[] {
  const { source, work, delivery, logs } = existingBuckets;
  return [source, work, delivery, logs, state?.bucket].filter((name) => name !== undefined);
}

/**
 * The shipped stages. `dev` can be deployed as it is, for pages on your own machine. The sites of the others
 * are examples, and `prod` lacks what a protected stage needs: a deploy says what is to be named first.
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

/**
 * MiB that Fargate allows for so many CPU units: from, to, in steps of.
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

/** ARNs there do not begin with `arn:aws:`, and CloudFront is another one or none. */
const OTHER_PARTITIONS = /^(cn|us-gov|us-iso[a-z]?|eu-iso[a-z]?)-/;

const whole = (least: number, most: number) =>
  z
    .int('is not a whole number')
    .min(least, `is less than ${least}`)
    .max(most, `is more than ${most}`);

const matching = (pattern: RegExp, sentence: string) => z.string().regex(pattern, sentence);

const oneOf = <Value extends string>(values: readonly Value[]) =>
  z.enum(values, { error: `is none of ${values.join(', ')}` });

// S3's rules, without the dots that break certificates of bucket addresses.
const bucket = matching(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'is no name of a bucket');

const workerSize = z.strictObject({
  cpuUnits: z
    .number()
    .refine(
      (units) => units in FARGATE_MEMORY,
      `is none of ${Object.keys(FARGATE_MEMORY).join(', ')}`,
    ),
  memoryMiB: z.number(),
  architecture: oneOf(['X86_64', 'ARM64']),
  spotPercent: whole(0, 100),
});

const stageSchema = z.strictObject({
  name: matching(/^[a-z][a-z0-9]{0,11}$/, 'is not 1 to 12 lower-case letters and digits'),
  region: matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is no region').refine(
    (region) => !OTHER_PARTITIONS.test(region),
    'is in another partition than aws (China, GovCloud, isolated regions), which these stacks do not fit',
  ),
  accountId: matching(/^\d{12}$/, 'is not 12 digits').optional(),
  allowedSites: z
    .array(
      z.string().refine(siteOf, 'is no origin like https://site.example or https://*.site.example'),
    )
    .min(1, 'names no site: nobody could watch'),
  accessMode: oneOf(['public-read', 'public-read-via-cdn', 'cdn-only']),
  allowNoContext: z.boolean(),
  openPosters: z.boolean(),
  playbackTokens: z.boolean(),
  priceClass: oneOf(PRICE_CLASSES),
  domain: z
    .strictObject({
      name: matching(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'is no domain'),
      certificateArn: matching(
        /^arn:aws:acm:us-east-1:\d{12}:certificate\/.+$/,
        'is no certificate of us-east-1, where CloudFront looks for them',
      ),
    })
    .optional(),
  // https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
  firewall: z.strictObject({ requestsPerFiveMinutes: whole(10, 2_000_000_000) }).optional(),
  worker: workerSize,
  minWorkers: whole(0, 1000),
  maxWorkers: whole(1, 1000),
  ladder: z.array(oneOf(LADDER.map(({ name }) => name))).min(1, 'names no rung'),
  soundAlone: oneOf(SOUND_ALONE),
  retention: z.strictObject({
    abandonedUploads: whole(1, 365),
    // Marks and notes in the work bucket are for up to 15 days: core/catalog/deletion.ts, core/model/garbage.ts.
    work: whole(21, 3653),
    oldSources: whole(1, 3653),
    logs: z.number().refine((days) => LOG_DAYS.includes(days), `is none of ${LOG_DAYS.join(', ')}`),
  }),
  existingBuckets: z.strictObject({
    source: bucket.optional(),
    work: bucket.optional(),
    delivery: bucket.optional(),
    logs: bucket.optional(),
  }),
  alarmEmail: z.email('is no mail address').optional(),
  // CloudWatch looks back a day at most.
  alarmAfterMinutes: whole(5, 1440),
  dailyTrafficGb: z.number().positive('is not more than 0'),
  monthlyBudgetUsd: z.number().positive('is not more than 0').optional(),
  state: z.strictObject({ bucket }).optional(),
  protected: z.boolean(),
});

/** What is wrong about two fields together. Apart from the schema: that looks at nothing more once a field is wrong. */
function contradictions(config: StageConfig): readonly string[] {
  const { worker, minWorkers, maxWorkers, monthlyBudgetUsd, alarmEmail } = config;
  const buckets = Object.values(config.existingBuckets);
  const [least = 0, most = Infinity, step = 1] = FARGATE_MEMORY[worker.cpuUnits] ?? [];
  const { memoryMiB } = worker;
  const fits = memoryMiB >= least && memoryMiB <= most && memoryMiB % step === 0;
  return [
    ...(fits
      ? []
      : [
          `worker.memoryMiB must be ${least} to ${most} in steps of ${step} for ${worker.cpuUnits} CPU units`,
        ]),
    ...(minWorkers > maxWorkers ? ['minWorkers is more than maxWorkers'] : []),
    ...(monthlyBudgetUsd !== undefined && alarmEmail === undefined
      ? ['monthlyBudgetUsd can warn nobody: alarmEmail is missing']
      : []),
    ...(new Set(buckets).size < buckets.length ? ['existingBuckets names a bucket twice'] : []),
  ];
}

/** Returns the stages as they are; throws one Error that names every mistake of every stage. */
export function checkStages(stages: readonly StageConfig[]): readonly StageConfig[] {
  const mistakes = stages.flatMap((config) => {
    const issues = stageSchema.safeParse(config).error?.issues ?? [];
    const wrong = issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    return [...wrong, ...contradictions(config)].map((sentence) => `${config.name}: ${sentence}`);
  });
  const names = stages.map(({ name }) => name);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) < index))) {
    mistakes.push(`${name}: name is that of two stages`);
  }
  if (mistakes.length === 0) return stages;
  throw new Error(`The stages in infra/config.ts are not right:\n  ${mistakes.join('\n  ')}`);
}
