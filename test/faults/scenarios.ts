import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jobKeys } from '../../core/model/keys.ts';
import { serialiseJob, serialiseUnit } from '../../core/model/message.ts';
import { readDocument } from '../../core/storage/documents.ts';
import { parsePlan } from '../../worker/plan/plan.ts';
import { clip } from '../e2e/clips.ts';
import type { Command, Worker } from '../e2e/machine.ts';
import { sendSignal } from './processes.ts';
import { startProxy } from './proxy.ts';
import type { Fault, Proxy } from './proxy.ts';
import type { Expectations, Scene } from './scene.ts';

/** A kind of fault, and how to cause it. */
export interface Scenario extends Expectations {
  readonly name: string;
  /** The number of faults in a short run; `times` multiplies it. */
  readonly count: number;
  /** Only for long runs. */
  readonly long?: true;
  /** Needs S3 and SQS in the emulator. Default: a local backend. */
  readonly cloud?: true;
  /** Starts workers with a file system of their own. */
  readonly mounts?: true;
  /** Runs the whole scenario on a file system with those options of mount(8). */
  readonly disk?: string;
  run(scene: Scene, count: number, file: string): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../worker/main.ts', import.meta.url));
const WORKER: Command = [process.execPath, MAIN];
const CLOCK = new URL('clock.ts', import.meta.url).href;

function tiny(): string {
  return clip({ name: 'tiny.mp4', seconds: 1, size: '64x36' });
}

/** Starts two workers; `replace` starts another one after a kill. */
function keepTwo(scene: Scene): { pick(): Worker; replace(worker: Worker): Promise<void> } {
  const workers = [scene.start({}, WORKER), scene.start({}, WORKER)];
  return {
    pick: () => scene.pick(workers) ?? scene.start({}, WORKER),
    replace: async (worker) => {
      await worker.ended;
      workers[workers.indexOf(worker)] = scene.start({}, WORKER);
    },
  };
}

/** A scenario that kills one of two workers, and replaces it. */
function killing(kill: (worker: Worker) => unknown): Scenario['run'] {
  return async (scene, count, file) => {
    const workers = keepTwo(scene);
    await scene.disturb(file, count, [0.1, 3], async () => {
      const worker = workers.pick();
      kill(worker);
      await workers.replace(worker);
      return true;
    });
  };
}

/** Stops a process like a debugger or an overloaded machine, and continues it after that many seconds. */
async function suspend(scene: Scene, pid: number | undefined, seconds: number): Promise<boolean> {
  if (pid === undefined || !sendSignal(pid, 'SIGSTOP')) return false;
  await scene.pause(seconds, seconds);
  sendSignal(pid, 'SIGCONT');
  return true;
}

/** Fills the disk of the temporary files. Returns a function that frees it. */
function fillDisk(): () => void {
  const path = join(tmpdir(), 'filler');
  const file = openSync(path, 'w');
  for (const bytes of [2 ** 20, 2 ** 12]) {
    const block = Buffer.alloc(bytes);
    try {
      while (writeSync(file, block) === bytes);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }
  closeSync(file);
  return () => unlinkSync(path);
}

/** Faults of S3 and SQS, with their share of the requests. */
const SERVICE_FAULTS: readonly (readonly [share: number, fault: Fault])[] = [
  [0.02, { kind: 'slow', seconds: 2 }],
  [0.03, { kind: 'reset' }],
  [0.03, { kind: 'unanswered' }],
  [0.03, { kind: 'cut' }],
  [0.03, { kind: 'status', status: 500, code: 'InternalError' }],
  [0.03, { kind: 'status', status: 503, code: 'SlowDown' }],
  [0.01, { kind: 'status', status: 409, code: 'ConditionalRequestConflict' }],
];

/** For conditional writes only: looks as if another worker was first. */
const LOST_RACE: Fault = { kind: 'status', status: 412, code: 'PreconditionFailed' };
/** For ranged reads, which are reads of a source. */
const EXPIRED: Fault = { kind: 'status', status: 400, code: 'ExpiredToken' };

/** Starts two workers whose requests to AWS pass a proxy that lets some of them go wrong. */
async function startBehindFaultyProxy(scene: Scene, count: number): Promise<Proxy> {
  const emulator = process.env['AWS_ENDPOINT_URL'] ?? '';
  const proxy = await startProxy(emulator, ({ headers }) => {
    if (scene.injected >= count) return undefined;
    const fault = faultFor(scene.random(), headers);
    if (fault) scene.injected += 1;
    return fault;
  });
  const { JOB_QUEUE, UNIT_QUEUE, DEAD_LETTER_QUEUE, EVENT_QUEUE } = scene.machine.env;
  const through = (address: string) => address.replace(emulator, proxy.address);
  const env = {
    AWS_ENDPOINT_URL: proxy.address,
    JOB_QUEUE: through(JOB_QUEUE),
    UNIT_QUEUE: through(UNIT_QUEUE),
    DEAD_LETTER_QUEUE: through(DEAD_LETTER_QUEUE),
    EVENT_QUEUE: through(EVENT_QUEUE),
  };
  for (let index = 0; index < 2; index += 1) scene.start(env, WORKER);
  return proxy;
}

function faultFor(random: number, headers: IncomingHttpHeaders): Fault | undefined {
  if (headers['if-none-match'] ?? headers['if-match']) {
    return random < 0.1 ? LOST_RACE : undefined;
  }
  if (headers.range && random < 0.1) return EXPIRED;
  let sum = 0;
  return SERVICE_FAULTS.find(([share]) => random < (sum += share))?.[1];
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a worker is killed',
    redonePerFault: 1,
    count: 10,
    run: killing((worker) => worker.kill('SIGKILL')),
  },
  {
    name: 'a worker and all its programs are killed',
    redonePerFault: 1,
    count: 6,
    run: killing((worker) => sendSignal(-worker.pid, 'SIGKILL')),
  },
  {
    name: 'ffmpeg is killed',
    redonePerFault: 1,
    count: 3,
    run: async (scene, count, file) => {
      keepTwo(scene);
      await scene.disturb(file, count, [0.5, 4], async () => {
        const pid = scene.pick(scene.programs('ffmpeg'));
        return pid !== undefined && sendSignal(pid, 'SIGKILL');
      });
    },
  },
  {
    name: 'ffmpeg is suspended',
    redonePerFault: 1,
    count: 2,
    run: async (scene, count, file) => {
      for (let index = 0; index < 2; index += 1) scene.start({ STALL_SECONDS: '2' });
      await scene.disturb(file, count, [0.5, 2], () =>
        suspend(scene, scene.pick(scene.programs('ffmpeg')), 8),
      );
    },
  },
  {
    name: 'ffprobe is suspended for a moment',
    count: 1,
    run: async (scene, count, file) => {
      keepTwo(scene);
      await scene.disturb(file, count, [0.02, 0.1], () =>
        suspend(scene, scene.pick(scene.programs('ffprobe')), 2),
      );
    },
  },
  {
    name: 'a worker is suspended until another has its message, and continues',
    count: 2,
    run: async (scene, count, file) => {
      const workers = keepTwo(scene);
      await scene.disturb(file, count, [0.5, 2], () => suspend(scene, workers.pick().pid, 5));
    },
  },
  {
    name: 'every message is delivered twice and out of order',
    count: 12,
    run: async (scene, count, file) => {
      const { machine } = scene;
      keepTwo(scene);
      await scene.disturb(file, count, [0.05, 0.5], async ({ jobId }) => {
        const { store } = machine.backend;
        const key = jobKeys(jobId).plan;
        const plan = await readDocument(store, machine.env.WORK_BUCKET, key, parsePlan);
        if (!plan) return false;
        const messages = [
          serialiseJob({ source: plan.source, options: {} }),
          ...plan.units.map(({ name }) => serialiseUnit(jobId, name)),
        ];
        await machine.send(scene.pick(messages) ?? '');
        return true;
      });
    },
  },
  {
    name: 'the clock jumps',
    count: 4,
    run: async (scene, count, file) => {
      scene.start({
        CLOCK_SEED: String(scene.random()),
        CLOCK_JUMPS: String(count),
        NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import ${CLOCK}`,
      });
      await scene.disturb(file, count, [3, 3], async () => true);
    },
  },
  {
    name: 'the source is deleted or replaced',
    count: 3,
    expected: ['asset.ready', 'asset.rejected'],
    run: async (scene, count, file) => {
      const { machine } = scene;
      const { SOURCE_BUCKET } = machine.env;
      keepTwo(scene);
      const gone = new Set<string>();
      await scene.disturb(file, count, [0.2, 2], async ({ key }) => {
        if (gone.has(key)) return false;
        gone.add(key);
        const isDeleted = scene.random() < 0.5;
        await (isDeleted
          ? machine.backend.store.delete(SOURCE_BUCKET, key)
          : machine.upload(tiny(), key));
        return true;
      });
    },
  },
  {
    name: 'S3 and SQS fail, break off, are slow and lose responses',
    count: 40,
    cloud: true,
    run: async (scene, count, file) => {
      const proxy = await startBehindFaultyProxy(scene, count);
      // The proxy injects the faults.
      await scene.disturb(file, count, [1, 1], async () => false);
      scene.onClose(() => proxy.close());
    },
  },
  {
    name: 'the disk of a worker is full or read-only',
    count: 2,
    mounts: true,
    run: async (scene, count, file) => {
      for (const options of ['size=300k', 'ro']) {
        if (scene.injected >= count) break;
        const job = await scene.upload(file);
        const broken = scene.startOn(options, WORKER);
        // A worker that cannot start ends by itself.
        const failed = broken.line(({ event }) => event === 'message.outcome');
        await Promise.race([failed, broken.ended]);
        broken.kill('SIGKILL');
        await Promise.allSettled([failed, broken.ended]);
        scene.injected += 1;
        const worker = scene.start({}, WORKER);
        await job.ended;
        worker.kill('SIGTERM');
        await worker.ended;
      }
    },
  },
  {
    name: 'the disk of the backend is full for a while',
    count: 3,
    disk: 'size=64m',
    run: async (scene, count) => {
      const workers = [scene.start({}, WORKER), scene.start({}, WORKER)];
      // A worker that cannot start would end, so wait until both have started.
      await Promise.all(
        workers.map((worker) => worker.line(({ event }) => event === 'worker.started')),
      );
      const file = clip({ name: 'small.mp4', seconds: 60, size: '320x180' });
      await scene.disturb(file, count, [0.3, 1.5], async () => {
        const free = fillDisk();
        await scene.pause(0.5, 4);
        free();
        return true;
      });
    },
  },
  {
    name: 'the start command is killed and started again',
    // Its two workers end with it.
    redonePerFault: 2,
    count: 3,
    run: async (scene, count, file) => {
      let started = scene.startProgram();
      await scene.disturb(file, count, [1, 4], async () => {
        started.kill('SIGKILL');
        await started.ended;
        started = scene.startProgram();
        return true;
      });
    },
  },
  {
    name: 'two start commands share one folder',
    count: 1,
    run: async (scene, count, file) => {
      scene.startProgram();
      scene.startProgram();
      scene.injected = count;
      await scene.upload(file);
    },
  },
  {
    name: 'three hundred files are uploaded at once',
    count: 1,
    long: true,
    run: async (scene) => {
      const file = tiny();
      for (scene.injected = 0; scene.injected < 300; scene.injected += 1) await scene.upload(file);
      keepTwo(scene);
    },
  },
  {
    name: 'a source lasts two hours',
    count: 1,
    long: true,
    run: async (scene, count) => {
      keepTwo(scene);
      scene.injected = count;
      await scene.upload(clip({ name: 'long.mp4', seconds: 7200, size: '64x36', rate: '10' }));
    },
  },
  {
    name: 'a source is 4K',
    count: 1,
    long: true,
    run: async (scene, count) => {
      keepTwo(scene);
      scene.injected = count;
      await scene.upload(clip({ name: '4k.mp4', seconds: 10, size: '3840x2160' }));
    },
  },
];
