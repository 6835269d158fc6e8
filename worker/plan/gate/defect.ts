/** How something that was made differs from what was planned. */
export interface Defect {
  readonly name: DefectName;
  /** What was found, and what was wanted: for an administrator. */
  readonly sentence: string;
}

export type DefectName =
  | 'damaged_segment'
  | 'damaged_picture'
  | 'damaged_image'
  | 'segment_count'
  | 'frame_count'
  | 'key_frames'
  | 'timestamps'
  | 'picture_order'
  | 'picture_form'
  | 'colour_tags'
  | 'bit_rate'
  | 'wrong_pictures'
  | 'frozen_start'
  | 'judder'
  | 'lost_pictures'
  | 'wrong_colours'
  | 'sound_form'
  | 'sound_length'
  | 'sound_lost'
  | 'sound_changed'
  | 'image_form'
  | 'unreadable_marker'
  | 'missing_object'
  | 'changed_object'
  | 'playlist'
  | 'asset_document';

/** At most so many sentences tell of one defect: the rest says the same. */
const SENTENCES = 3;

/** One line for a log or an error: each name with its first sentences. */
export function describeDefects(defects: readonly Defect[]): string {
  const names = [...new Set(defects.map(({ name }) => name))];
  return names
    .map((name) => {
      const sentences = defects.filter((one) => one.name === name).map(({ sentence }) => sentence);
      const more = sentences.length - SENTENCES;
      return `${name}: ${sentences.slice(0, SENTENCES).join(' ')}${more > 0 ? ` And ${more} more.` : ''}`;
    })
    .join(' ');
}
