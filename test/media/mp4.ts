/** Boxes of an MP4 file that contain other boxes. */
const PARENTS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts', 'moof', 'traf']);

export interface Mp4Box {
  readonly type: string;
  /** Without type and length. */
  readonly content: Buffer;
  /** Counts the boxes of the same type in the file, from 0. */
  readonly index: number;
}

/**
 * Rewrites the boxes of an MP4 file. `edit` is called for each box that contains no others. Lengths are corrected, but
 * offsets into `mdat` stay valid only if `moov` comes last or no length changes.
 */
export function editMp4(file: Buffer, edit: (box: Mp4Box) => Buffer): Buffer {
  const counts = new Map<string, number>();
  const rewrite = (bytes: Buffer): Buffer => {
    const boxes: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const type = bytes.toString('latin1', at + 4, at + 8);
      const end = at + bytes.readUInt32BE(at);
      const content = bytes.subarray(at + 8, end);
      const index = counts.get(type) ?? 0;
      counts.set(type, index + 1);
      const edited = PARENTS.has(type) ? rewrite(content) : edit({ type, content, index });
      const head = Buffer.from(bytes.subarray(at, at + 8));
      head.writeUInt32BE(8 + edited.length);
      boxes.push(head, edited);
      at = end;
    }
    return Buffer.concat(boxes);
  };
  return rewrite(file);
}

/** Writes a 32-bit number into each box of a type, at an offset after its type. */
export function patchMp4(file: Buffer, type: string, offset: number, value: number): Buffer {
  return editMp4(file, (box) => {
    if (box.type !== type) return box.content;
    const content = Buffer.from(box.content);
    content.writeUInt32BE(value, offset);
    return content;
  });
}

/** One edit: that many seconds of the source from a time on; nothing is shown if `from` is undefined. */
export interface Mp4Edit {
  readonly seconds: number;
  readonly from: number | undefined;
}

/**
 * Puts the edits into every track. `tracks` holds the time scale of each track, and the start of its media in that
 * scale.
 */
export function withEdits(
  file: Buffer,
  edits: readonly Mp4Edit[],
  tracks: readonly { readonly scale: number; readonly start: number }[],
): Buffer {
  /** The time scale of the movie header that ffmpeg writes. */
  const MOVIE_SCALE = 1000;
  return editMp4(file, ({ type, content, index }) => {
    if (type !== 'elst') return content;
    const { scale, start } = tracks[index] ?? { scale: MOVIE_SCALE, start: 0 };
    const list = Buffer.alloc(8 + edits.length * 12);
    list.writeUInt32BE(edits.length, 4);
    edits.forEach(({ seconds, from }, edit) => {
      list.writeUInt32BE(Math.round(seconds * MOVIE_SCALE), 8 + edit * 12);
      list.writeInt32BE(from === undefined ? -1 : start + Math.round(from * scale), 12 + edit * 12);
      list.writeUInt32BE(0x10000, 16 + edit * 12);
    });
    return list;
  });
}

/** Lets a fragmented file begin that many seconds later. `scales` are the time scales of its tracks. */
export function fragmentsAt(file: Buffer, seconds: number, scales: readonly number[]): Buffer {
  let track = 0;
  return editMp4(file, ({ type, content }) => {
    if (type === 'tfhd') track = content.readUInt32BE(4);
    if (type !== 'tfdt') return content;
    const moved = Buffer.from(content);
    const later = BigInt(seconds) * BigInt(scales[track - 1] ?? 1);
    moved.writeBigUInt64BE(content.readBigUInt64BE(4) + later, 4);
    return moved;
  });
}
