import { PoisonError } from '../../core/model/errors.ts';
import type { SegmentFacts, Unit } from '../../core/model/units.ts';
import { readLevels } from '../ffmpeg/reference.ts';
import { audioCommand, LEVELS_COMMAND } from '../plan/encode.ts';
import { AUDIO_FRAME_SECONDS } from '../plan/formats.ts';
import type { Defect } from '../plan/gate/defect.ts';
import { checkDecoding } from '../plan/gate/pictures.ts';
import { checkLevels, parseLevels } from '../plan/gate/sound.ts';
import { checkTrack } from '../plan/gate/structure.ts';
import type { ReadAudio } from '../plan/gate/structure.ts';
import { makeFolders, takeSegments } from '../segments.ts';
import { undecodableError, uploadSegment, makeWithRetry } from './work.ts';
import type { UnitResult, Work } from './work.ts';

/** Encodes a sound track from start to end, and uploads its segments. */
export async function makeAudio(work: Work, unit: Unit<'audio'>): Promise<UnitResult> {
  const { plan, address, notes } = work;
  const track = plan.audio.find(({ name }) => name === unit.track);
  if (!track) throw new PoisonError(`Job ${plan.jobId} has no track ${unit.track}.`);
  return makeWithRetry(work, unit.name, async (directory) => {
    await makeFolders(directory, [track.name]);
    const decoder = work.decoder(LEVELS_COMMAND);
    const segments: SegmentFacts[] = [];
    const read: ReadAudio[] = [];
    const defects: Defect[] = [];
    let taken = 0;
    const upload = async (all: boolean) => {
      for await (const file of takeSegments(directory, track.name, taken, all)) {
        taken += 1;
        const uploaded = await uploadSegment(work, file, defects);
        if (uploaded?.segment.kind !== 'audio') continue;
        const { segment, ...stored } = uploaded;
        const { frames, ...rest } = segment;
        for (const { data } of frames) await decoder.write(data);
        read.push({ ...rest, times: frames.map(({ pts }) => pts) });
        segments.push({ ...stored, durationSeconds: frames.length * AUDIO_FRAME_SECONDS });
      }
    };
    // Segments are uploaded and removed while ffmpeg makes the next ones, one batch at a time.
    let uploading: Promise<void> | undefined;
    let failure: unknown;
    await work.run(audioCommand(plan, track, { address, directory }), {
      onProgress: ({ outSeconds }) => {
        notes.note(outSeconds / plan.durationSeconds);
        uploading ??= upload(false)
          .catch((error: unknown) => {
            failure ??= error;
          })
          .finally(() => {
            uploading = undefined;
          });
      },
    });
    await uploading;
    if (failure)
      throw failure instanceof Error ? failure : new Error('A segment could not be uploaded.');
    await upload(true);
    if (segments.length === 0 && defects.length === 0) throw undecodableError('sound');
    const { output, errors } = await decoder.end();
    const reference = {
      ...(await readLevels(directory, track)),
      decoded: parseLevels(output.toString()),
    };
    defects.push(
      ...checkTrack(plan, track, read),
      ...checkLevels(track, reference),
      ...checkDecoding(errors),
    );
    return { made: { kind: 'audio', codecs: read[0]?.codecs ?? '', segments }, defects };
  });
}
