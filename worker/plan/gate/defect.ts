/** A difference between the output of a unit and the plan. */
export interface Defect {
  readonly name: DefectName;
  /** The actual and the expected value, for administrators. */
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

/** The number of sentences in a description, for each name. */
const MAX_SENTENCES = 3;

/** One line for a log or an error: each name with its first sentences. */
export function describeDefects(defects: readonly Defect[]): string {
  const names = [...new Set(defects.map(({ name }) => name))];
  return names
    .map((name) => {
      const sentences = defects.filter((one) => one.name === name).map(({ sentence }) => sentence);
      const more = sentences.length - MAX_SENTENCES;
      return `${name}: ${sentences.slice(0, MAX_SENTENCES).join(' ')}${more > 0 ? ` And ${more} more.` : ''}`;
    })
    .join(' ');
}
