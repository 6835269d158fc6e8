import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { deliveryHeaders, jobKeys, versionKey } from '../core/model/keys.ts';
import { parseMarker } from '../core/model/units.ts';
import type { Marker, Unit, UnitKind } from '../core/model/units.ts';
import { writeDocument } from '../core/storage/documents.ts';
import { Decoder } from './ffmpeg/decoder.ts';
import { runFfmpeg } from './ffmpeg/run.ts';
import { readMarker } from './markers.ts';
import { unitLimits } from './plan/limits.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import { openProgressNotes } from './progress-notes.ts';
import { removeScratch } from './scratch.ts';
import type { Context, Services } from './services.ts';
import { requireSource, withSource } from './source.ts';
import { makeAudio } from './units/audio.ts';
import { makeImages } from './units/images.ts';
import { makeVideo } from './units/video.ts';
import type { UnitResult, Work } from './units/work.ts';

const MAKERS: {
  readonly [Kind in UnitKind]: (work: Work, unit: Unit<Kind>) => Promise<UnitResult>;
} = {
  video: makeVideo,
  audio: makeAudio,
  images: makeImages,
};

function makerOf<Kind extends UnitKind>(
  kind: Kind,
): (work: Work, unit: Unit<Kind>) => Promise<UnitResult> {
  return MAKERS[kind];
}

/**
 * Makes the output of a unit and then its marker. Does nothing if the unit is done. Every run writes the same bytes to
 * the same keys. Throws the errors that worker/plan/outcome.ts handles.
 */
export async function encodeUnit(
  services: Services,
  plan: Plan,
  name: string,
  context: Context,
): Promise<void> {
  const { store, config, scratch } = services;
  const { log } = context;
  const unit = plan.units.find((one) => one.name === name);
  if (!unit) {
    log.info({ event: 'unit.unneeded', reason: 'the job was planned again without it' });
    return;
  }
  if (await readMarker(services, plan, name)) {
    log.info({ event: 'unit.known' });
    return;
  }
  const { sizeBytes } = await requireSource(store, plan.source);
  const started = performance.now();
  const version = planVersion(plan);
  const directory = await mkdtemp(join(scratch, `${name}-`));
  const ended = new AbortController();
  const limits = unitLimits(plan, unit);
  const notes = openProgressNotes(services, plan.jobId, name, context);
  let damage: string | undefined;
  const workOn = (address: string, signal: AbortSignal): Work => ({
    services,
    plan,
    address,
    directory,
    notes,
    context: { log, signal },
    run: async (argv, { silentSeconds = 0, onProgress } = {}) => {
      const reported = await runFfmpeg({
        argv,
        signal,
        log,
        ffmpeg: config.FFMPEG,
        limits,
        stallSeconds: config.STALL_SECONDS + silentSeconds,
        ...(onProgress ? { onProgress } : {}),
      });
      damage ??= reported;
    },
    damage: () => damage,
    decoder: (argv) =>
      new Decoder({
        ffmpeg: config.FFMPEG,
        argv,
        limits,
        signal: AbortSignal.any([signal, ended.signal]),
      }),
    upload: async (path, bytes, contentType) => {
      const key = versionKey(plan.assetId, version, path);
      await store.put(config.DELIVERY_BUCKET, key, bytes, deliveryHeaders(key, contentType));
      return { bytes: bytes.length, md5: createHash('md5').update(bytes).digest('hex') };
    },
  });
  log.info({ event: 'unit.started' });
  try {
    const reading = { store, source: plan.source, sizeBytes, signal: context.signal };
    const made = await withSource(reading, (address, signal) =>
      makerOf(unit.kind)(workOn(address, signal), unit),
    );
    // If the source was replaced meanwhile, the unit may have read parts of both objects.
    await requireSource(store, plan.source);
    const elapsedSeconds = (performance.now() - started) / 1000;
    const marker: Marker = { ...made, unit: name, version, elapsedSeconds };
    const key = jobKeys(plan.jobId).marker(name);
    await writeDocument(store, config.WORK_BUCKET, key, marker, parseMarker);
    log.info({ event: 'unit.done', elapsedSeconds });
  } finally {
    ended.abort();
    // The notes must end before the caller checks whether the job still exists.
    await notes.end();
    await removeScratch(directory, log);
  }
}
