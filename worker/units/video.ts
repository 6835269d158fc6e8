import type { Unit } from '../../core/model/units.ts';
import { findSeek } from '../ffmpeg/probe.ts';
import { readReference } from '../ffmpeg/reference.ts';
import { KEYS_COMMAND, videoCommand } from '../plan/encode.ts';
import type { Defect } from '../plan/gate/defect.ts';
import { checkColors, checkDecoding, checkKeys, checkTimeline } from '../plan/gate/pictures.ts';
import type { DecodedKey } from '../plan/gate/pictures.ts';
import { copyAt } from '../plan/gate/reference.ts';
import { checkSegments, frameAt } from '../plan/gate/structure.ts';
import type { ReadVideo } from '../plan/gate/structure.ts';
import { frameSeconds } from '../plan/grid.ts';
import { makeFolders, takeSegments } from '../segments.ts';
import { undecodableError, uploadSegment, makeWithRetry } from './work.ts';
import type { UnitResult, Work } from './work.ts';

/** Encodes a chunk in all renditions, and uploads its segments. */
export async function makeVideo(work: Work, unit: Unit<'video'>): Promise<UnitResult> {
  const { services, plan, context, notes } = work;
  const { grid, media, originSeconds } = plan;
  const startSeconds = originSeconds + frameSeconds(grid, unit.firstFrame);
  const names = plan.renditions.map(({ name }) => name);
  return makeWithRetry(work, unit.name, async (directory, again) => {
    const { address } = work;
    const source = { address, ffprobe: services.config.FFPROBE, signal: context.signal };
    // The second attempt does not trust the source's index, and decodes from the start.
    const seekSeconds = again ? undefined : await findSeek(source, plan, unit.firstFrame);
    await makeFolders(directory, names);
    await work.run(videoCommand(plan, unit, { address, seekSeconds, directory }), {
      silentSeconds: startSeconds - (seekSeconds ?? media.startSeconds),
      onProgress: ({ frames }) => notes.note(frames / unit.frames),
    });
    const decoder = work.decoder(KEYS_COMMAND);
    const keys: Omit<DecodedKey, 'picture'>[] = [];
    const renditions = [];
    const defects: Defect[] = [];
    for (const rendition of plan.renditions) {
      const { name } = rendition;
      const segments = [];
      const read: ReadVideo[] = [];
      for await (const file of takeSegments(directory, name, unit.firstSegment, true)) {
        const uploaded = await uploadSegment(work, file, defects);
        if (uploaded?.segment.kind !== 'video') continue;
        const { segment, ...stored } = uploaded;
        const { pictures, ...rest } = segment;
        read.push({
          ...rest,
          pictures: pictures.map(({ data, ...one }) => ({ ...one, bytes: data.length })),
        });
        // Decoding a large key frame takes 15 ms. One for each segment is enough to detect a wrong segment.
        const first = pictures.find(({ key }) => key);
        if (first) {
          keys.push({ rendition: name, frame: frameAt(grid, first.pts) - unit.firstFrame });
          await decoder.write(first.data);
        }
        const durationSeconds = frameSeconds(grid, pictures.length);
        segments.push({ ...stored, frames: pictures.length, durationSeconds });
      }
      if (segments.length === 0 && defects.length === 0) throw undecodableError('picture');
      defects.push(...checkSegments(plan, unit, rendition, read));
      renditions.push({ name, codecs: read[0]?.sequence.codecs ?? '', segments });
    }
    const reference = { ...(await readReference(directory)), sought: seekSeconds !== undefined };
    defects.push(...checkTimeline(plan, unit, reference), ...checkColors(plan, unit, reference));
    const { output, errors } = await decoder.end();
    const decoded = keys.map((key, index) => ({ ...key, picture: copyAt(output, index) }));
    defects.push(...checkKeys(plan, unit, reference, decoded), ...checkDecoding(errors));
    return { made: { kind: 'video', renditions }, defects };
  });
}
