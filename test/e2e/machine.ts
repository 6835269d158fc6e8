import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { WorkerEnv } from '../../core/environment.ts';
import { parseAssetEvent } from '../../core/model/asset.ts';
import type { AssetEvent } from '../../core/model/asset.ts';
import { assetIdOf, jobIdOf } from '../../core/model/ids.ts';
import { jobKeys } from '../../core/model/keys.ts';
import { readDocument } from '../../core/storage/documents.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { openLocalBackend } from '../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT, layoutEnv } from '../../core/storage/local/layout.ts';
import type { Backend, Queue, QueueCounts } from '../../core/storage/ports.ts';
import { uploadFile } from '../../core/storage/upload.ts';
import { parsePlan } from '../../worker/plan/plan.ts';
import type { Plan } from '../../worker/plan/plan.ts';
import { checkHls } from '../hls/check.ts';
import { sourceSeconds } from './source-seconds.ts';

/** A program and its arguments. */
export type Command = readonly [program: string, ...argv: string[]];

const WORKER: Command = [
  process.execPath,
  fileURLToPath(new URL('../../worker/main.ts', import.meta.url)),
];

/** A line of a worker's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event?: string };

/** JOB_QUEUE stands for the job queue and the unit queue combined. */
type QueueName = 'JOB_QUEUE' | 'DEAD_LETTER_QUEUE' | 'EVENT_QUEUE';

/** A backend with empty buckets and queues. */
export interface Setting {
  readonly backend: Backend;
  /** The environment of its workers. */
  readonly env: WorkerEnv;
  close(): Promise<void>;
}

async function localSetting(directory: string): Promise<Setting> {
  const folder = join(directory, 'backend');
  const backend = await openLocalBackend({ directory: folder, layout: LOCAL_LAYOUT });
  return { backend, env: layoutEnv(folder), close: () => backend.close() };
}

/** An empty backend, and workers that tests can start and kill. */
export class Machine {
  readonly directory: string;
  readonly scratch: string;
  readonly backend: Backend;
  readonly env: WorkerEnv;
  readonly #setting: Setting;
  readonly #workers = new Set<Worker>();

  private constructor(directory: string, setting: Setting) {
    this.directory = directory;
    this.scratch = join(directory, 'scratch');
    this.backend = setting.backend;
    this.env = setting.env;
    this.#setting = setting;
  }

  /** Opens a local backend in the folder of this machine, unless `openSetting` opens another one. */
  static async open(openSetting = localSetting): Promise<Machine> {
    const directory = await mkdtemp(join(tmpdir(), 'vodstack-e2e-'));
    return new Machine(directory, await openSetting(directory));
  }

  /** Starts a worker. Its preset is the fastest, as these tests do not judge quality. */
  start(env: Readonly<Record<string, string>> = {}, command: Command = WORKER): Worker {
    const worker = new Worker(command, {
      ...process.env,
      ...this.env,
      WORK_DIRECTORY: this.scratch,
      X264_PRESET: 'ultrafast',
      RETRY_SECONDS: '1',
      LOG_LEVEL: 'debug',
      NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
      ...env,
    });
    this.#workers.add(worker);
    return worker;
  }

  /** Uploads a file under a key, by default its own name. Returns the ids of its asset and job. */
  async upload(file: string, key = basename(file)) {
    const bucket = this.env.SOURCE_BUCKET;
    const { etag } = await uploadFile({ store: this.backend.store, bucket, key, file });
    const assetId = assetIdOf({ bucket, key, etag });
    return { bucket, key, etag, assetId, jobId: jobIdOf(assetId, {}) };
  }

  send(body: string): Promise<void> {
    return this.queue('JOB_QUEUE').send(body);
  }

  /** The next event. Waits 20 s in each round; a large source on a slow machine needs more rounds. */
  async event(rounds = 6): Promise<AssetEvent> {
    const events = this.queue('EVENT_QUEUE');
    for (; rounds > 0; rounds -= 1) {
      const [message] = await events.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 60 });
      if (!message) continue;
      await events.acknowledge(message.receipt);
      return parseAssetEvent(JSON.parse(message.body));
    }
    throw new Error(`No event came. The log of the workers:\n${this.log()}`);
  }

  /** The next event, which must be that of a ready asset. */
  async ready(rounds?: number): Promise<Extract<AssetEvent, { type: 'asset.ready' }>> {
    const event = await this.event(rounds);
    if (event.type === 'asset.ready') return event;
    throw new Error(`${event.type}: ${event.reason}\n${this.log()}`);
  }

  /**
   * Stops all workers, and waits until each has finished its message: an event is sent before its message is
   * acknowledged, so the counts of the queues are exact only after this.
   */
  async stop(): Promise<void> {
    for (const worker of this.#workers) worker.kill('SIGTERM');
    await Promise.all([...this.#workers].map((worker) => worker.ended));
    this.#workers.clear();
  }

  /** The last lines of each worker's log. */
  log(): string {
    return [...this.#workers].map((worker) => worker.output.slice(-30).join('\n')).join('\n--\n');
  }

  queue(name: QueueName): Queue {
    return name === 'JOB_QUEUE'
      ? openJobQueue(this.backend, this.env)
      : this.backend.queue(this.env[name]);
  }

  counts(name: QueueName): Promise<QueueCounts> {
    return this.queue(name).counts();
  }

  /** All objects of an asset in the delivery bucket, by key. */
  async published(assetId: string): Promise<ReadonlyMap<string, Buffer>> {
    const objects = new Map<string, Buffer>();
    const bucket = this.env.DELIVERY_BUCKET;
    for await (const { key } of this.backend.store.list(bucket, `v/${assetId}/`)) {
      objects.set(key, await this.read(key));
    }
    return objects;
  }

  /** Reads an object of the delivery bucket by its key or by its path, which begins with a slash. */
  async read(key: string): Promise<Buffer> {
    const found = await this.backend.store.get(this.env.DELIVERY_BUCKET, key.replace(/^\//, ''));
    if (!found) throw new Error(`The delivery bucket has no ${key}.`);
    return buffer(found.body);
  }

  /** The stored plan of a job. */
  async plan(jobId: string): Promise<Plan> {
    const bucket = this.env.WORK_BUCKET;
    const plan = await readDocument(this.backend.store, bucket, jobKeys(jobId).plan, parsePlan);
    if (!plan) throw new Error(`Job ${jobId} has no plan.`);
    return plan;
  }

  /** Checks a published asset against its source file; returns all problems. */
  async check(
    { jobId, playlist }: { readonly jobId: string; readonly playlist: string },
    file: string,
  ): Promise<readonly string[]> {
    const { grid } = await this.plan(jobId);
    return checkHls((path) => this.read(path), `/${playlist}`, {
      frames: grid.frames,
      durationSeconds: await sourceSeconds(file),
    });
  }

  /** The files that workers have left in the scratch folder. */
  leftovers(): readonly string[] {
    return readdirSync(this.scratch);
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.kill('SIGKILL');
    await Promise.all([...this.#workers].map((worker) => worker.ended));
    await this.#setting.close();
    // The encoder of a killed worker can still be writing.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
  }
}

export class Worker {
  /** All lines of standard error. */
  readonly output: string[] = [];
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #lines: LogLine[] = [];
  readonly #news = new EventEmitter();
  #done = false;

  constructor([program, ...argv]: Command, env: NodeJS.ProcessEnv) {
    this.#news.setMaxListeners(100);
    this.#child = spawn(program, argv, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const { stderr } = this.#child;
    if (!stderr) throw new Error('The worker has no standard error.');
    createInterface({ input: stderr }).on('line', (line) => {
      this.output.push(line);
      if (line.startsWith('{')) this.#lines.push(JSON.parse(line) as LogLine);
      this.#news.emit('change');
    });
    this.ended = once(this.#child, 'close').then(([code, signal]: (number | string | null)[]) => {
      this.#done = true;
      this.#news.emit('change');
      return signal ?? code ?? 'nothing';
    });
  }

  get pid(): number {
    return this.#child.pid ?? NaN;
  }

  /** All matching lines of the log so far. */
  lines(matches: (line: LogLine) => boolean): readonly LogLine[] {
    return this.#lines.filter(matches);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for a line of the log. */
  async line(matches: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const found = this.#lines.find(matches);
      if (found) return found;
      if (this.#done)
        throw new Error(`The worker ended without that line. Its log:\n${this.output.join('\n')}`);
      await once(this.#news, 'change');
    }
  }

  /** Waits until ffmpeg has started for the unit. */
  encodes(unit: string): Promise<LogLine> {
    return this.line(({ event, unit: name }) => event === 'ffmpeg.started' && name === unit);
  }
}
