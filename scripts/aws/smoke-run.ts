import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import type { AssetEvent } from '../../core/model/asset.ts';
import { playlistPath, pointerKey, versionKey } from '../../core/model/keys.ts';
import { nameOf } from '../../infra/names.ts';
import { remove } from '../../studio/server/actions.ts';
import { print, printJson, say } from '../cli/terminal.ts';
import { makeClip } from '../files/demo-clip.ts';
import { submit } from '../files/submit.ts';
import type { Submission } from '../files/submit.ts';
import { watchJob } from '../files/watch.ts';
import { openClients } from './clients.ts';
import { trialSentence, tryEdgeFunction } from './edge-trial.ts';
import { bucketsOf } from './empty.ts';
import { invalidateAsset, waitForInvalidation } from './invalidation.ts';
import { readPlaybackKey } from './playback-keys.ts';
import { PLAYER_KEY } from './player.ts';
import { run } from './run.ts';
import {
  bucketProbes,
  findMismatch,
  listingProbes,
  missingProbe,
  plainBucketProbe,
  plainHttpProbe,
  viewerProbes,
} from './smoke-probes.ts';
import type { Buckets, Probe, SmokeTarget } from './smoke-probes.ts';
import { sendRequest } from './smoke-request.ts';
import { readDistribution } from './stage.ts';
import type { Stage } from './stage.ts';
import type { Workers } from './workers.ts';

const CLIP_SECONDS = 2;
const POLL_MILLISECONDS = 3000;
/** CloudWatch counts messages every minute; its alarm and Fargate take another minute each. */
const SCALING_SECONDS = 240;
const READY_SECONDS = 480;
const FORGOTTEN_SECONDS = 300;
const LOGS_SECONDS = 180;

/** The result of a check. `unanswered`: the check could not run here, so it is neither right nor wrong. */
type Outcome =
  | { readonly status: 'ok'; readonly note?: string }
  | { readonly status: 'wrong'; readonly what: string; readonly remedy: string }
  | { readonly status: 'unanswered'; readonly why: string };

type Check = { readonly name: string } & Outcome;

type Ready = Extract<AssetEvent, { type: 'asset.ready' }>;

/** One run of the smoke test over a stage. */
export class Smoke {
  readonly #stage: Stage;
  readonly #json: boolean;
  readonly #stop: AbortSignal;
  readonly #started = new Date();
  readonly #checks: Check[] = [];
  /** Why a check cannot run in the emulator. Falsy in AWS itself. */
  readonly #emulated = process.env['AWS_ENDPOINT_URL'] && 'the emulator of AWS has none';
  readonly #cdn: string | undefined;

  constructor(stage: Stage, json: boolean, stop: AbortSignal) {
    this.#stage = stage;
    this.#json = json;
    this.#stop = stop;
    const isLoopback = new URL(stage.origin).hostname === '127.0.0.1';
    this.#cdn = this.#emulated && !isLoopback ? 'the emulator of AWS has no CDN' : undefined;
    if (!json) print(`Stage ${stage.name}, ${stage.origin}\n`);
  }

  async everything(): Promise<void> {
    const { name } = this.#stage;
    await this.#check("the edge function in CloudFront's engine", () => this.#trial());
    const directory = await mkdtemp(join(tmpdir(), 'vodstack-smoke-'));
    const key = `smoke-${randomUUID()}.mp4`;
    try {
      const file = join(directory, key);
      const clip = { seconds: CLIP_SECONDS, title: key };
      await makeClip(file, clip, this.#stop);
      await this.#whileUploaded(file, key);
    } finally {
      await rm(directory, { recursive: true });
    }
    await this.#check("the CDN's logs", () => this.#logs());
    if (this.#checks.some(({ status }) => status === 'wrong'))
      say(`See also ./scripts/status ${name}.`);
  }

  async teardown(): Promise<void> {
    const { name } = this.#stage;
    await this.#check('teardown', async () => {
      const program = join(import.meta.dirname, '..', 'cli', 'main.ts');
      const argv = ['--disable-warning=ExperimentalWarning', program, 'teardown', name, '--yes'];
      await run(process.execPath, argv, { stop: this.#stop });
      return { status: 'ok', note: 'nothing is left' };
    });
  }

  /** Returns the exit code. */
  report(): number {
    const count = (wanted: Outcome['status']) =>
      this.#checks.filter(({ status }) => status === wanted).length;
    const seconds = this.#seconds();
    if (this.#json) {
      const { name: stage, origin } = this.#stage;
      printJson({ stage, origin, seconds, checks: this.#checks });
    } else {
      print(
        `${count('ok')} OK, ${count('wrong')} wrong, ${count('unanswered')} not asked, in ${seconds} s.\n`,
      );
    }
    return count('wrong') === 0 ? 0 : 1;
  }

  async #trial(): Promise<Outcome> {
    const trial = await tryEdgeFunction(this.#stage.config, this.#stop);
    if (trial === undefined) return unanswered('this CloudFront has no TestFunction');
    if (trial.different.length > 0) {
      return wrong(
        trialSentence(trial),
        'Do not deploy this version: its edge function is not what CloudFront takes it for.',
      );
    }
    return ok(`${trial.cases} cases, in at most ${trial.maxPercent} % of its time`);
  }

  /** Uploads the clip, runs the checks that need it, and removes it. */
  async #whileUploaded(file: string, key: string): Promise<void> {
    const { backend, env, workers } = this.#stage;
    const before = await workers.counts();
    const source = { file, key };
    const submission = await submit(backend, env, source, () => undefined, this.#stop);
    const uploaded = await backend.store.head(env.SOURCE_BUCKET, key);
    try {
      const isAtRest = before.running + before.starting + before.wanted === 0;
      const [event] = await Promise.all([
        this.#untilEnded(submission),
        this.#check('workers from none', async () => {
          if (this.#emulated) return unanswered('the emulator of AWS starts no workers');
          if (isAtRest) return scaleOut(this.#stage.name, workers, this.#stop);
          return unanswered('workers run already; run this again when none has for some minutes');
        }),
        this.#beforeReady(submission),
      ]);
      if (event?.type === 'asset.ready') await this.#whilePublished(event, key);
      else this.#add('the video, as viewers fetch it', unanswered('there is none'));
    } finally {
      const { assetId, jobId } = submission;
      const entry = {
        item: { id: assetId },
        jobIds: [jobId],
        ...(uploaded ? { source: { bucket: env.SOURCE_BUCKET, key, etag: uploaded.etag } } : {}),
      };
      await this.#removed(entry);
    }
  }

  /** Waits for the job. Undefined if it does not end in time. */
  async #untilEnded({ jobId }: Submission): Promise<AssetEvent | undefined> {
    const { backend, env, name } = this.#stage;
    const signal = AbortSignal.any([this.#stop, AbortSignal.timeout(READY_SECONDS * 1000)]);
    let event: AssetEvent | undefined;
    await this.#check('a clip becomes a video', async () => {
      const watch = {
        catalog: { store: backend.store, config: env },
        jobId,
        pollMilliseconds: POLL_MILLISECONDS,
      };
      try {
        event = await watchJob({ ...watch, onProgress: () => undefined, signal });
      } catch (error) {
        if (!signal.aborted || this.#stop.aborted) throw error;
        const what = `it was not ready after ${READY_SECONDS} s`;
        return wrong(what, `./scripts/status ${name} tells what it waits for.`);
      }
      if (event.type === 'asset.ready') return ok(`ready after ${this.#seconds()} s`);
      return wrong(
        event.reason,
        `./scripts/dead-letters ${name} list, and the log of the workers.`,
      );
    });
    return event;
  }

  /** An edge must not cache the missing video: it has to play as soon as it is published. */
  async #beforeReady({ assetId }: Submission): Promise<void> {
    const target = { ...this.#stage, tokenKey: await this.#tokenKey(), now: new Date() };
    const name = 'a video before it is published';
    await this.#probe(missingProbe(target, name, pointerKey(assetId)), this.#cdn);
  }

  async #whilePublished(event: Ready, sourceKey: string): Promise<void> {
    const { backend, env, config, origin } = this.#stage;
    const bytes = async (key: string) => {
      const found = await backend.store.get(env.DELIVERY_BUCKET, key);
      return found ? buffer(found.body) : Buffer.from('');
    };
    const { assetId, version, renditions, poster = '' } = event;
    const rendition = renditions[0]?.name ?? '';
    const playlist = await bytes(versionKey(assetId, version, playlistPath(rendition)));
    const name = /^[^#\n].*$/m.exec(playlist.toString())?.[0] ?? '';
    const segment = versionKey(assetId, version, `${rendition}/${name}`);
    const target: SmokeTarget = {
      config,
      origin,
      segment,
      poster,
      pointer: pointerKey(assetId),
      segmentBytes: await bytes(segment),
      playerBytes: await bytes(PLAYER_KEY),
      tokenKey: await this.#tokenKey(),
      now: new Date(),
    };
    for (const probe of viewerProbes(target)) await this.#probe(probe, this.#cdn);
    const noHttp = this.#emulated && 'the emulator of AWS knows plain HTTP only';
    await this.#probe(plainHttpProbe(target), noHttp);
    const buckets = this.#buckets();
    for (const probe of bucketProbes(target, sourceKey, buckets)) await this.#probe(probe);
    const noLists = this.#emulated && 'the emulator of AWS lists buckets to anybody';
    for (const probe of listingProbes(target, buckets)) await this.#probe(probe, noLists);
    await this.#probe(plainBucketProbe(target, buckets), noHttp);
  }

  async #removed(entry: Parameters<typeof remove>[1]): Promise<void> {
    const assetId = entry.item.id;
    let invalidation: string | undefined;
    await this.#check('the clip is removed', async () => {
      const { backend, env } = this.#stage;
      const distribution = await readDistribution(this.#stage);
      await remove({ store: backend.store, config: env }, entry, async () => {
        invalidation = await invalidateAsset(distribution, assetId);
      });
      if (invalidation === undefined) return ok();
      const since = performance.now();
      await waitForInvalidation(distribution, invalidation, FORGOTTEN_SECONDS, this.#stop);
      return ok(`the CDN forgot it within ${Math.round((performance.now() - since) / 1000)} s`);
    });
    const target = { ...this.#stage, tokenKey: await this.#tokenKey(), now: new Date() };
    await this.#probe(
      missingProbe(target, 'a video that was removed', pointerKey(assetId)),
      this.#cdn,
    );
  }

  async #logs(): Promise<Outcome> {
    if (this.#emulated) return unanswered('the emulator of AWS writes none');
    const { config, backend, name } = this.#stage;
    const { s3 } = openClients(config);
    const prefix = `${nameOf(name, 'logs')}-`;
    const bucket =
      config.existingBuckets.logs ??
      (await bucketsOf(s3, config)).find((one) => one.startsWith(prefix));
    s3.destroy();
    if (bucket === undefined)
      return wrong('there is no bucket for them', `Run ./scripts/deploy ${name}.`);
    const until = performance.now() + LOGS_SECONDS * 1000;
    do {
      for await (const { lastModified } of backend.store.list(bucket, 'AWSLogs/')) {
        return ok(`the first is of ${lastModified.toISOString()}`);
      }
      await after(10_000, undefined, { signal: this.#stop });
    } while (performance.now() < until);
    return unanswered(
      `none has come to ${bucket} yet. CloudFront may take an hour: run this again then, and where there is ` +
        `none either, look at its delivery ${nameOf(name, 'edge')} in CloudWatch Logs of us-east-1`,
    );
  }

  #buckets(): Buckets {
    const { env, config } = this.#stage;
    const { DELIVERY_BUCKET: delivery, SOURCE_BUCKET: source, WORK_BUCKET: work } = env;
    const endpoint = process.env['AWS_ENDPOINT_URL'];
    const addressOf = (bucket: string, key: string) =>
      endpoint
        ? `${endpoint}/${bucket}/${key}`
        : `https://${bucket}.s3.${config.region}.amazonaws.com/${key}`;
    return { delivery, source, work, addressOf };
  }

  async #tokenKey(): Promise<string | undefined> {
    const { config, ssm, name } = this.#stage;
    return config.playbackTokens ? readPlaybackKey(ssm, name) : undefined;
  }

  async #probe(
    { name, request, expected, remedy, tries = 1 }: Probe,
    skipReason?: string,
  ): Promise<void> {
    await this.#check(name, async () => {
      if (skipReason !== undefined) return unanswered(skipReason);
      for (let left = tries; ; left -= 1) {
        const answer = await sendRequest(request, this.#stop);
        const what = findMismatch(expected, answer);
        if (what === undefined) return ok();
        if (left <= 1) return wrong(`${request.method ?? 'GET'} ${request.url}: ${what}`, remedy);
        await after(1000, undefined, { signal: this.#stop });
      }
    });
  }

  /** An error counts as wrong, and the other checks go on. */
  async #check(name: string, work: () => Promise<Outcome>): Promise<void> {
    try {
      this.#add(name, await work());
    } catch (error) {
      if (this.#stop.aborted) throw error;
      const { config } = this.#stage;
      const remedy = config.domain
        ? `Is ${config.domain.name} pointed at the distribution, and are the credentials an administrator's?`
        : "A CDN that was just made takes some minutes. Else: are the credentials an administrator's?";
      this.#add(name, wrong(error instanceof Error ? error.message : String(error), remedy));
    }
  }

  #add(name: string, outcome: Outcome): void {
    this.#checks.push({ name, ...outcome });
    if (!this.#json) print(line({ name, ...outcome }));
  }

  #seconds(): number {
    return Math.round((Date.now() - this.#started.getTime()) / 1000);
  }
}

/** Measures how long scaling takes to start a worker. If it does not, starts one as uploads do. */
async function scaleOut(stage: string, workers: Workers, stop: AbortSignal): Promise<Outcome> {
  const started = performance.now();
  let woken = false;
  for (;;) {
    const { running, wanted } = await workers.counts();
    const seconds = Math.round((performance.now() - started) / 1000);
    if (running > 0 && !woken) return ok(`one runs after ${seconds} s`);
    if (running > 0 || seconds > READY_SECONDS) {
      return wrong(
        `scaling wanted none within ${SCALING_SECONDS} s` +
          (woken ? `; woken, as uploads do, one ran after ${seconds} s` : ''),
        'After six quiet hours CloudWatch is a quarter of an hour late: run this again some minutes after the ' +
          `workers have stopped. If it happens again, look at the alarm ${nameOf(stage, 'there-is-work')}.`,
      );
    }
    if (!woken && wanted === 0 && seconds > SCALING_SECONDS) {
      woken = true;
      await workers.wake();
    }
    await after(POLL_MILLISECONDS, undefined, { signal: stop });
  }
}

function ok(note?: string): Outcome {
  return { status: 'ok', ...(note === undefined ? {} : { note }) };
}

function wrong(what: string, remedy: string): Outcome {
  return { status: 'wrong', what, remedy };
}

function unanswered(why: string): Outcome {
  return { status: 'unanswered', why };
}

function line(check: Check): string {
  switch (check.status) {
    case 'ok':
      return `  OK         ${check.name}${check.note === undefined ? '' : `: ${check.note}`}\n`;
    case 'wrong':
      return `  WRONG      ${check.name}: ${check.what}\n             ${check.remedy}\n`;
    case 'unanswered':
      return `  not asked  ${check.name}: ${check.why}\n`;
  }
}
