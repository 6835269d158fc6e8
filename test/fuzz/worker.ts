import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../core/environment.ts';
import { createLog } from '../../core/log.ts';
import { FaultyOutputError, RejectedError, TransientError } from '../../core/model/errors.ts';
import { inParallel } from '../../core/storage/in-parallel.ts';
import { openLocalBackend } from '../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT, layoutEnv } from '../../core/storage/local/layout.ts';
import { jobFromRequest, planJob } from '../../worker/intake.ts';
import { openServices } from '../../worker/services.ts';
import { encodeUnit } from '../../worker/unit.ts';
import { batchSchema } from './batch.ts';
import type { End } from './batch.ts';
import { corrupt } from './corrupt.ts';

/**
 * The traced process. Its argument is a batch in JSON. Corrupts the sources in turn, handles each in a folder of its
 * own, and prints one line of JSON with the result of each.
 */
const { directory, seed, first, count, whole, sources } = batchSchema.parse(
  JSON.parse(process.argv[2] ?? ''),
);
const FILES_AT_ONCE = 2;
const HANG_SECONDS = 60;

const indices = Array.from({ length: count }, (_, place) => first + place);
await inParallel(indices, FILES_AT_ONCE, async (index) => {
  const intact = whole[index];
  const path = intact ?? sources[index % sources.length] ?? '';
  const bytes = await readFile(path);
  // Every source is combined with each unit.
  const turn = Math.floor(index / sources.length);
  const end = await endOf(intact ? bytes : corrupt(bytes, `${seed}/${index}`), index, turn);
  console.log(JSON.stringify({ index, path, ...end } satisfies End));
});

/** Probes and plans a file and encodes one of its units, as a worker does. */
async function endOf(
  bytes: Buffer,
  index: number,
  turn: number,
): Promise<Omit<End, 'index' | 'path'>> {
  const folder = join(directory, String(index));
  await mkdir(folder);
  const backend = await openLocalBackend({
    directory: join(folder, 'backend'),
    layout: LOCAL_LAYOUT,
  });
  const env = {
    ...layoutEnv(join(folder, 'backend')),
    X264_PRESET: 'ultrafast',
    STALL_SECONDS: '30',
  };
  const services = openServices(readConfig(env), backend, folder);
  const context = { log: createLog('silent'), signal: AbortSignal.timeout(HANG_SECONDS * 1000) };
  try {
    const object = { bucket: services.config.SOURCE_BUCKET, key: `corrupted-${index}` };
    await backend.store.put(object.bucket, object.key, bytes);
    const job = await jobFromRequest(services, { source: object, options: {} });
    const plan = await planJob(services, job, context);
    const unit = plan?.units[turn % plan.units.length];
    if (!plan || !unit) return { end: 'fault', why: 'There is no plan, or it has no units.' };
    await encodeUnit(services, plan, unit.name, context);
    return { end: 'ready' };
  } catch (error) {
    if (context.signal.aborted)
      return { end: 'fault', why: `It took more than ${HANG_SECONDS} s.` };
    if (error instanceof RejectedError) return { end: error.code };
    const why = String(error);
    if (error instanceof TransientError) return { end: 'transient', why };
    if (error instanceof FaultyOutputError) return { end: 'failed', why };
    return { end: 'fault', why: error instanceof Error ? (error.stack ?? why) : why };
  } finally {
    await backend.close();
  }
}
