import type { AssetDocument } from '../../core/model/asset.ts';
import { imagePath, pointerKey, versionKey } from '../../core/model/keys.ts';
import type { Marker } from '../../core/model/units.ts';
import { imageNames } from './plan-images.ts';
import type { Plan } from './plan.ts';
import type { Measured } from './playlist.ts';

/** The `asset.json` of a version. */
export function describeAsset(
  plan: Plan,
  version: string,
  measured: Measured,
  markers: readonly Marker[],
): AssetDocument {
  const { assetId, source, durationSeconds, images, skipped, leftOut } = plan;
  const key = (path: string) => versionKey(assetId, version, path);
  const names = imageNames(images);
  const imageBytes = markers
    .flatMap((marker) => (marker.kind === 'images' ? marker.files : []))
    .reduce((total, file) => total + file.bytes, 0);
  const renditions = plan.renditions.map(({ name, width, height }, index) => {
    const one = measured.video[index];
    return {
      name,
      width,
      height,
      codecs: one?.codecs ?? '',
      peakBitRate: one?.bitRate.peak ?? 0,
      averageBitRate: one?.bitRate.average ?? 0,
      bytes: total(one?.segments),
    };
  });
  const audio = plan.audio.map(({ name, label, language }, index) => {
    const one = measured.audio[index];
    return {
      name,
      label,
      language,
      averageBitRate: one?.bitRate.average ?? 0,
      bytes: total(one?.segments),
    };
  });
  return {
    schema: 1,
    assetId,
    version,
    durationSeconds,
    renditions,
    audio,
    skipped,
    leftOut,
    source: { bucket: source.bucket, key: source.key },
    playlist: pointerKey(assetId),
    poster: key(imagePath(names.poster)),
    thumbnails: names.thumbnails.map((name) => key(imagePath(name))),
    ...(names.storyboard ? { storyboard: key(imagePath(names.storyboard)) } : {}),
    bytes: [...renditions, ...audio].reduce((sum, one) => sum + one.bytes, imageBytes),
  };
}

function total(segments: readonly { readonly bytes: number }[] = []): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0);
}
