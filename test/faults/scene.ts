import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { collectGarbage } from '../../core/catalog/garbage.ts';
import { inspect } from '../../core/catalog/reconcile.ts';
import { createLog } from '../../core/log.ts';
import { parseAssetEvent } from '../../core/model/asset.ts';
import type { AssetEvent } from '../../core/model/asset.ts';
import { GRACE_DAYS } from '../../core/model/garbage.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { KNOWN, openIndex, openLocalBackend } from '../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT } from '../../core/storage/local/layout.ts';
import { openScratch, removeScratch } from '../../worker/scratch.ts';
import { clip } from '../e2e/clips.ts';
import { Machine } from '../e2e/machine.ts';
import type { Command, Setting, Worker } from '../e2e/machine.ts';
import { watchMemory } from '../memory.ts';
import { randomOf } from '../seeded.ts';
import { onOwnDisk } from './own-disk.ts';
import { processesIn } from './processes.ts';
import { readRepeatedly } from './reader.ts';

const PROGRAM = fileURLToPath(new URL('../../scripts/cli/main.ts', import.meta.url));

/** The limit for one job, from its upload to its end, with all its faults. */
const MAX_JOB_SECONDS = 300;
const DRAIN_SECONDS = 60;
/** The message of a killed worker is delivered again after this. It is the minimum that a worker accepts. */
const VISIBILITY_SECONDS = '3';

interface Job {
  readonly key: string;
  readonly assetId: string;
  readonly jobId: string;
  readonly file: string;
  /** Resolves to the event that ended the job. */
  readonly ended: Promise<AssetEvent>;
}

/** The result of one scenario. */
export interface Row {
  readonly name: string;
  readonly injected: number;
  readonly jobs: number;
  /** Jobs that ended as they would undisturbed. */
  readonly survived: number;
  /** How often units were started again. */
  readonly redone: number;
  /** Jobs without an event. */
  readonly lost: number;
  readonly seconds: number;
  /** The peak memory of one process, by program, in bytes. */
  readonly peaks: Readonly<Record<string, number>>;
  /** Violations, one sentence each. */
  readonly faults: readonly string[];
}

/** A backend with workers that a scenario disturbs. The seed determines all random choices. */
export class Scene {
  readonly machine: Machine;
  readonly random: () => number;
  injected = 0;
  readonly #undisturbed: (file: string) => Promise<string>;
  readonly #jobs: Job[] = [];
  readonly #workers: Worker[] = [];
  readonly #waiting = new Map<string, (event: AssetEvent) => void>();
  readonly #events: AssetEvent[] = [];
  readonly #faults: string[] = [];
  readonly #peaks: () => ReadonlyMap<string, number>;
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #over = new AbortController();
  readonly #listening: Promise<void>;
  readonly #readers: Promise<readonly string[]>[] = [];

  private constructor(
    machine: Machine,
    seed: string,
    undisturbed: (file: string) => Promise<string>,
  ) {
    this.machine = machine;
    this.random = randomOf(seed);
    this.#undisturbed = undisturbed;
    this.#listening = this.#listen();
    this.#peaks = watchMemory(process.pid);
  }

  /** `undisturbed` returns the digest of what an undisturbed job of a file publishes. */
  static async open(
    seed: string,
    undisturbed: (file: string) => Promise<string>,
    setting?: () => Promise<Setting>,
  ): Promise<Scene> {
    return new Scene(await Machine.open(setting), seed, undisturbed);
  }

  /** Starts a worker, in a process group of its own. */
  start(env: Readonly<Record<string, string>> = {}, command?: Command): Worker {
    const inGroup: Command | undefined = command && ['setsid', ...command];
    const worker = this.machine.start({ VISIBILITY_SECONDS, ...env }, inGroup);
    this.#workers.push(worker);
    return worker;
  }

  /** Starts a worker whose scratch folder is a file system with those options of mount(8). */
  startOn(options: string, command: Command): Worker {
    const { scratch } = this.machine;
    mkdirSync(scratch, { recursive: true });
    return this.start({}, onOwnDisk(scratch, options, command));
  }

  /** Starts the program of `./scripts/start` on the same folder, with two workers. */
  startProgram(): Worker {
    const data = fileURLToPath(this.machine.env.VODSTACK_HOME);
    const argv = ['--data', data, '--port', '0', '--workers', '2'];
    // Without a file it would make a clip first.
    return this.start({}, [
      process.execPath,
      PROGRAM,
      'start',
      ...argv,
      clip({ name: 'own.mp4', seconds: 1 }),
    ]);
  }

  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Uploads a file under a key of its own. */
  async upload(file: string): Promise<Job> {
    const key = `${this.#jobs.length}/${basename(file)}`;
    const { assetId, jobId } = await this.machine.upload(file, key);
    const { promise: ended, resolve } = Promise.withResolvers<AssetEvent>();
    const told = this.#events.find((event) => event.jobId === jobId);
    if (told) resolve(told);
    else this.#waiting.set(jobId, resolve);
    const job = { key, assetId, jobId, file, ended };
    this.#jobs.push(job);
    const { backend, env } = this.machine;
    const { signal } = this.#over;
    this.#readers.push(readRepeatedly(backend.store, env.DELIVERY_BUCKET, assetId, signal));
    return job;
  }

  /**
   * Uploads files and calls `strike` at random times until it has succeeded `count` times. Then waits for the last job.
   */
  async disturb(
    file: string,
    count: number,
    [min, max]: readonly [minSeconds: number, maxSeconds: number],
    strike: (job: Job) => Promise<boolean>,
  ): Promise<void> {
    while (this.injected < count) {
      const job = await this.upload(file);
      const ended = this.#endOf(job);
      const isTime = () => this.pause(min, max).then(() => true);
      const isOver = ended.then(() => false);
      while (this.injected < count && (await Promise.race([isTime(), isOver]))) {
        if (await strike(job)) this.injected += 1;
      }
      await ended;
      if (this.#faults.length > 0) return;
    }
  }

  /** Waits for a random time between those seconds. */
  pause(min: number, max: number): Promise<void> {
    return after((min + this.random() * (max - min)) * 1000);
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  /** The media processes of this backend's workers. */
  programs(name: 'ffmpeg' | 'ffprobe'): readonly number[] {
    return processesIn(this.machine.directory)
      .filter((found) => found.name === name)
      .map(({ pid }) => pid);
  }

  /** Stops everything and checks the results. `expected` are the event types that jobs may end with. */
  async close(
    name: string,
    { expected = ['asset.ready'], redonePerFault = Infinity }: Expectations,
  ): Promise<Omit<Row, 'seconds'>> {
    const ends = await Promise.all(this.#jobs.map((job) => this.#endOf(job)));
    await this.#drain();
    await this.machine.stop();
    await this.#collect();
    this.#over.abort();
    for (const close of this.#closers) await close();
    await this.#listening;
    for (const reader of this.#readers) this.#faults.push(...(await reader));
    let survived = 0;
    for (const [index, job] of this.#jobs.entries()) {
      const end = ends[index];
      if (!end) continue;
      if (!expected.includes(end.type)) {
        const why = 'reason' in end ? end.reason : '';
        this.#faults.push(`Job ${job.jobId} ended as ${end.type}: ${why}`);
      } else if (end.type !== 'asset.ready' || (await this.#isAsUndisturbed(job))) survived += 1;
    }
    const redone = await this.#redone();
    if (redone > this.injected * redonePerFault) {
      this.#faults.push(`${redone} units were redone after ${this.injected} faults.`);
    }
    await this.#checkLeftovers();
    const lost = ends.filter((end) => end === undefined).length;
    const { injected } = this;
    const faults = [...this.#faults];
    await this.machine.close();
    const peaks = Object.fromEntries(this.#peaks());
    return { name, injected, jobs: this.#jobs.length, survived, redone, lost, peaks, faults };
  }

  /** Undefined if the job does not end in time. */
  async #endOf(job: Job): Promise<AssetEvent | undefined> {
    const timer = new AbortController();
    const timeout = after(MAX_JOB_SECONDS * 1000, undefined, { signal: timer.signal }).catch(
      () => undefined,
    );
    const end = await Promise.race([job.ended, timeout]);
    timer.abort();
    if (!end) {
      this.#faults.push(
        `Job ${job.jobId} did not end. The log of the workers:\n${this.machine.log()}`,
      );
    }
    return end;
  }

  async #listen(): Promise<void> {
    const queue = this.machine.queue('EVENT_QUEUE');
    const { signal } = this.#over;
    while (!signal.aborted) {
      const messages = await queue
        .receive({ max: 10, waitSeconds: 5, visibilitySeconds: 60, signal })
        // For example, if the disk is full.
        .catch(() => after(100, []));
      for (const { body, receipt } of messages) {
        await queue.acknowledge(receipt).catch(() => undefined);
        const event = parseAssetEvent(JSON.parse(body));
        const before = this.#events.find(({ jobId }) => jobId === event.jobId);
        // A worker that is killed after it sent the event sends it again.
        if (before && before.type !== event.type) {
          this.#faults.push(`Job ${event.jobId} ended as ${before.type} and as ${event.type}.`);
        }
        this.#events.push(event);
        this.#waiting.get(event.jobId)?.(event);
      }
    }
  }

  /** Removes all unreferenced versions before the published ones are checked. */
  async #collect(): Promise<void> {
    const { backend, env } = this.machine;
    const catalog = { store: backend.store, jobs: openJobQueue(backend, env), config: env };
    const later = new Date(Date.now() + (GRACE_DAYS + 1) * 24 * 3_600_000);
    for (const now of [new Date(), later]) {
      await collectGarbage(catalog, (await inspect(catalog, now)).garbage, now);
    }
    for (const { assetId, version } of Object.values(
      (await inspect(catalog, later)).garbage,
    ).flat()) {
      this.#faults.push(`No pointer names v/${assetId}/${version}/, but it still exists.`);
    }
  }

  /** Waits until the queue is empty: duplicate messages can remain after their job has ended. */
  async #drain(): Promise<void> {
    for (let seconds = 0; seconds < DRAIN_SECONDS; seconds += 1) {
      const { visible, inFlight, delayed } = await this.machine.counts('JOB_QUEUE');
      if (visible + inFlight + delayed === 0) return;
      await after(1000);
    }
  }

  async #isAsUndisturbed({ assetId, jobId, file }: Job): Promise<boolean> {
    const objects = await this.machine.published(assetId);
    const versions = new Set([...objects.keys()].map((key) => key.split('/')[2]));
    // The version and the pointer.
    if (versions.size !== 2)
      this.#faults.push(`Asset ${assetId} has ${versions.size - 1} versions.`);
    const same = digestOf(objects, assetId) === (await this.#undisturbed(file));
    if (!same) this.#faults.push(`Job ${jobId} published something else than an undisturbed job.`);
    return same && versions.size === 2;
  }

  async #redone(): Promise<number> {
    const ours = new Set(this.#jobs.map(({ jobId }) => jobId));
    const begun = this.#workers.flatMap((worker) =>
      worker.lines(({ event, jobId }) => event === 'unit.started' && ours.has(String(jobId))),
    );
    let planned = 0;
    for (const job of this.#jobs) {
      const plan = await this.machine.plan(job.jobId).catch(() => undefined);
      planned += plan?.units.length ?? 0;
    }
    return Math.max(0, begun.length - planned);
  }

  /** Checks that nothing is left over after all workers have ended. */
  async #checkLeftovers(): Promise<void> {
    const { visible, inFlight, delayed } = await this.machine.counts('JOB_QUEUE');
    const left = visible + inFlight + delayed;
    if (left > 0) this.#faults.push(`${left} messages are left in the job queue.`);
    // The encoder of a killed worker can write for a moment more. The next start of a worker removes that.
    const log = createLog('silent');
    await removeScratch(await openScratch(this.machine.scratch, log), log);
    const files = this.machine.leftovers();
    if (files.length > 0) this.#faults.push(`Files are left: ${files.join(', ')}.`);
    const running = processesIn(this.machine.scratch);
    if (running.length > 0) this.#faults.push(`Programs still run: ${JSON.stringify(running)}.`);
    const { VODSTACK_HOME: backend } = this.machine.env;
    if (backend.startsWith('file:')) {
      this.#faults.push(...(await findStrays(fileURLToPath(backend))));
    }
  }
}

/** Finds files of a local backend that its index does not know, after a sweep. */
async function findStrays(directory: string): Promise<readonly string[]> {
  const backend = await openLocalBackend({ directory, layout: LOCAL_LAYOUT });
  await backend.sweep();
  await backend.close();
  const { blobs, database } = await openIndex(directory);
  const known = new Set(database.rows(KNOWN).map(({ blob }) => blob));
  const found: string[] = [];
  for await (const name of blobs.names()) {
    if (!known.has(name)) found.push(`The index does not know the file ${blobs.path(name)}.`);
  }
  database.close();
  return found;
}

export interface Expectations {
  readonly expected?: readonly AssetEvent['type'][];
  /** The number of units that each fault may cause to start again. Default: unlimited. */
  readonly redonePerFault?: number;
}

/** A digest of all published objects of an asset that does not depend on its id and version. */
export function digestOf(objects: ReadonlyMap<string, Buffer>, assetId: string): string {
  const digest = createHash('sha256');
  const version = [...objects.keys()]
    .map((key) => key.split('/')[2])
    .find((one) => one !== 'index.m3u8');
  const plain = (text: string) =>
    text
      .replaceAll(assetId, 'ASSET')
      .replaceAll(version ?? 'VERSION', 'VERSION')
      // The number before the source's name.
      .replace(/"key":\s*"\d+\//, '"key":"');
  for (const [key, bytes] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isText = /\.(m3u8|json|vtt)$/.test(key);
    digest.update(plain(key)).update(isText ? plain(bytes.toString()) : bytes);
  }
  return digest.digest('hex');
}
