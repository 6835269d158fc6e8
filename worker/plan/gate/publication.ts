import { isDeepStrictEqual } from 'node:util';
import { parseAsset } from '../../../core/model/asset.ts';
import type { AssetDocument } from '../../../core/model/asset.ts';
import {
  ASSET_PATH,
  imagePath,
  playlistPath,
  pointerKey,
  versionKey,
} from '../../../core/model/keys.ts';
import type { Marker, StoredFile } from '../../../core/model/units.ts';
import { AUDIO_FRAME_SECONDS, segmentName } from '../formats.ts';
import { frameSeconds, segmentsOf } from '../grid.ts';
import { imageNames } from '../plan-images.ts';
import type { Plan } from '../plan.ts';
import { measure } from '../playlist.ts';
import type { BitRate } from '../playlist.ts';
import { toNumber } from '../rational.ts';
import { filesOf } from '../units.ts';
import type { OutputFile } from '../units.ts';
import type { Defect } from './defect.ts';

/** Compares the objects in the delivery bucket with the files that the units made. */
export function checkStored(
  made: readonly OutputFile[],
  stored: ReadonlyMap<string, StoredFile>,
): readonly Defect[] {
  return made.flatMap(({ path, bytes, md5 }): readonly Defect[] => {
    const found = stored.get(path);
    if (!found) return [{ name: 'missing_object', sentence: `${path} does not exist.` }];
    if (found.bytes === bytes && found.md5 === md5) return [];
    const sentence = `${path} has ${found.bytes} bytes with MD5 ${found.md5}, not ${bytes} with ${md5}.`;
    return [{ name: 'changed_object', sentence }];
  });
}

/** Parses the text of a rendition's playlist, and compares it with the plan. */
export function checkMediaPlaylist(plan: Plan, name: string, text: string): readonly Defect[] {
  const sound = plan.audio.some((track) => track.name === name);
  const planned = segmentsOf(plan.grid);
  const defects: Defect[] = [];
  const report = (sentence: string) =>
    defects.push({ name: 'playlist', sentence: `${playlistPath(name)} ${sentence}` });
  const lines = text.split('\n');
  const names = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const seconds = [...text.matchAll(/^#EXTINF:([\d.]+),$/gm)].map(([, value]) => Number(value));
  if (names.join() !== planned.map((_, index) => segmentName(index)).join()) {
    report(`does not list the ${planned.length} segments in order.`);
  }
  if (seconds.length !== planned.length) report('does not list the duration of each segment.');
  const tolerance = sound ? AUDIO_FRAME_SECONDS * 2 : 0.000_001;
  planned.forEach(({ frames }, index) => {
    const wanted = frameSeconds(plan.grid, frames);
    if (Math.abs((seconds[index] ?? 0) - wanted) > tolerance) {
      report(`lists ${seconds[index] ?? 0} s for segment ${index}, not ${wanted}.`);
    }
  });
  const all = seconds.reduce((sum, one) => sum + one, 0);
  const whole = frameSeconds(plan.grid, plan.grid.frames);
  if (Math.abs(all - whole) > Math.max(tolerance, 0.001)) report(`lasts ${all} s, not ${whole}.`);
  const target = Number(/^#EXT-X-TARGETDURATION:(\d+)$/m.exec(text)?.[1]);
  if (!(target >= Math.max(...seconds.map(Math.round)))) {
    report(`has a target duration of ${target} s, but a longer segment.`);
  }
  for (const line of ['#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-ENDLIST']) {
    if (lines.filter((one) => one === line).length !== 1) report(`does not have ${line} once.`);
  }
  if (lines[0] !== '#EXTM3U') report('does not begin with #EXTM3U.');
  return defects;
}

/** Parses the text of the multivariant playlist, and compares it with the plan and the markers. */
export function checkMultivariantPlaylist(
  plan: Plan,
  version: string,
  markers: readonly Marker[],
  text: string,
): readonly Defect[] {
  const defects: Defect[] = [];
  const report = (sentence: string) =>
    defects.push({ name: 'playlist', sentence: `The multivariant playlist ${sentence}` });
  const lines = text.split('\n');
  if (lines[0] !== '#EXTM3U') report('does not begin with #EXTM3U.');
  const wanted = wantedEntries(plan, version, markers);
  const entries = readEntries(lines);
  const listOf = (names: readonly string[]) => [...names].sort().join(', ');
  const [listed, planned] = [entries, wanted].map((list) => listOf(list.map(({ name }) => name)));
  if (listed !== planned) report(`lists ${listed}, not ${planned}.`);
  const { poster, storyboard } = imageNames(plan.images);
  for (const image of [poster, ...(storyboard ? [storyboard] : [])]) {
    if (!text.includes(`,VALUE="${version}/${imagePath(image)}"\n`))
      report(`does not name ${image}.`);
  }
  const variants = entries.filter(({ name }) => name.startsWith(VARIANT)).length;
  const addresses = lines.filter((line) => line !== '' && !line.startsWith('#')).length;
  if (addresses !== variants) report(`has ${addresses} addresses for ${variants} variants.`);
  for (const { name, attributes } of wanted) {
    const listed = entries.find((entry) => entry.name === name)?.attributes;
    for (const [attribute, value] of attributes) {
      const actual = listed?.get(attribute) ?? 'nothing';
      if (actual !== value) report(`has ${actual} for ${attribute} of ${name}, not ${value}.`);
    }
  }
  return defects;
}

const [MEDIA, VARIANT] = ['#EXT-X-MEDIA', '#EXT-X-STREAM-INF'];

/** A rendition or a sound track in the multivariant playlist. */
interface Entry {
  /** Its tag and its URI. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Attribute lists: RFC 8216, 4.2. */
const ATTRIBUTE = /([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))/g;

function readEntries(lines: readonly string[]): readonly Entry[] {
  return lines.flatMap((line, index) => {
    const [tag = '', list = ''] = line.split(/:(.*)/s);
    if (tag !== MEDIA && tag !== VARIANT) return [];
    const attributes = new Map(
      [...list.matchAll(ATTRIBUTE)].map(([, name = '', quoted, bare]) => [
        name,
        quoted ?? bare ?? '',
      ]),
    );
    const address = (tag === MEDIA ? attributes.get('URI') : lines[index + 1]) ?? '';
    return [{ name: `${tag} ${address}`, attributes }];
  });
}

function wantedEntries(plan: Plan, version: string, markers: readonly Marker[]): readonly Entry[] {
  const { video, audio } = measure(plan, markers);
  const entry = (tag: string, name: string, attributes: Record<string, string | number>) => ({
    name: `${tag} ${version}/${playlistPath(name)}`,
    attributes: new Map(Object.entries(attributes).map(([key, value]) => [key, String(value)])),
  });
  const group = audio.length > 0 ? { AUDIO: 'audio' } : {};
  const rates = (bitRates: readonly BitRate[]) => ({
    BANDWIDTH: bitRates.reduce((sum, { peak }) => sum + peak, 0),
    'AVERAGE-BANDWIDTH': bitRates.reduce((sum, { average }) => sum + average, 0),
  });
  const highest = (of: keyof BitRate) => Math.max(0, ...audio.map(({ bitRate }) => bitRate[of]));
  const sound = { peak: highest('peak'), average: highest('average') };
  const soundCodecs = new Set(audio.map(({ codecs }) => codecs));
  const variants = plan.renditions.map(({ name, width, height }, index) =>
    entry(VARIANT, name, {
      ...rates([video[index]?.bitRate ?? { peak: 0, average: 0 }, sound]),
      // If the chunks have different codecs, this list is longer than the playlist's.
      CODECS: [...codecsOf(markers, name), ...soundCodecs].join(','),
      RESOLUTION: `${width}x${height}`,
      'FRAME-RATE': toNumber(plan.grid.rate).toFixed(3),
      ...group,
    }),
  );
  const alone = audio
    .slice(0, 1)
    .map(({ name, codecs, bitRate }) =>
      entry(VARIANT, name, { ...rates([bitRate]), CODECS: codecs, ...group }),
    );
  const tracks = plan.audio.map(({ name, label, language, channels, default: first }) =>
    entry(MEDIA, name, {
      TYPE: 'AUDIO',
      'GROUP-ID': 'audio',
      NAME: label,
      LANGUAGE: language,
      DEFAULT: first ? 'YES' : 'NO',
      CHANNELS: channels,
    }),
  );
  return [...tracks, ...(variants.length > 0 ? variants : alone)];
}

function codecsOf(markers: readonly Marker[], rendition: string): ReadonlySet<string> {
  const made = markers.flatMap((marker) => (marker.kind === 'video' ? marker.renditions : []));
  return new Set(made.filter(({ name }) => name === rendition).map(({ codecs }) => codecs));
}

/** Parses the text of `asset.json`, and compares it with the plan and the markers. */
export function checkDocument(
  plan: Plan,
  version: string,
  markers: readonly Marker[],
  text: string,
): readonly Defect[] {
  const defect = (sentence: string): Defect => ({
    name: 'asset_document',
    sentence: `${ASSET_PATH} ${sentence}`,
  });
  let document: AssetDocument;
  try {
    document = parseAsset(JSON.parse(text));
  } catch (error) {
    return [defect(`cannot be read: ${String(error)}`)];
  }
  const files = markers.flatMap((marker) => filesOf(plan, marker));
  const bytesBelow = (folder: string) =>
    files.filter(({ path }) => path.startsWith(folder)).reduce((sum, { bytes }) => sum + bytes, 0);
  const { assetId, source, audio } = plan;
  const names = imageNames(plan.images);
  const image = (name: string) => versionKey(assetId, version, imagePath(name));
  const measured = measure(plan, markers);
  const wanted: Partial<Record<keyof AssetDocument, unknown>> = {
    assetId,
    version,
    durationSeconds: plan.durationSeconds,
    source: { bucket: source.bucket, key: source.key },
    playlist: pointerKey(assetId),
    poster: image(names.poster),
    thumbnails: names.thumbnails.map(image),
    storyboard: names.storyboard && image(names.storyboard),
    renditions: plan.renditions.map(({ name, width, height }, index) => ({
      name,
      width,
      height,
      codecs: [...codecsOf(markers, name)].join(),
      peakBitRate: measured.video[index]?.bitRate.peak,
      averageBitRate: measured.video[index]?.bitRate.average,
      bytes: bytesBelow(`${name}/`),
    })),
    audio: audio.map(({ name, label, language }, index) => ({
      name,
      label,
      language,
      averageBitRate: measured.audio[index]?.bitRate.average,
      bytes: bytesBelow(`${name}/`),
    })),
    bytes: bytesBelow(''),
  };
  return Object.entries(wanted).flatMap(([name, value]) => {
    const actual = document[name as keyof AssetDocument];
    if (isDeepStrictEqual(actual, value)) return [];
    return [defect(`has ${JSON.stringify(actual)} as its ${name}, not ${JSON.stringify(value)}.`)];
  });
}
