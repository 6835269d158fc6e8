/** Boxes of an MP4 file that hold boxes. */
const PARENTS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts', 'moof', 'traf']);

export interface Mp4Box {
  readonly type: string;
  /** Type and length left out. */
  readonly content: Buffer;
  /** 0, 1 …: the box before it of the same type in the file, plus one. */
  readonly index: number;
}

/**
 * Rewrites boxes of an MP4 file; `edit` is asked for each that holds no others. Lengths follow; places
 * in `mdat` stay only where `moov` comes last, or no length changes.
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

/** The same file with a number of 32 bits in each box of a type, so many bytes after its type. */
export function patchMp4(file: Buffer, type: string, offset: number, value: number): Buffer {
  return editMp4(file, (box) => {
    if (box.type !== type) return box.content;
    const content = Buffer.from(box.content);
    content.writeUInt32BE(value, offset);
    return content;
  });
}

/** One edit: so much of the source from a time on; `from` is undefined where nothing is shown. */
export interface Mp4Edit {
  readonly seconds: number;
  readonly from: number | undefined;
}

/**
 * The same file with the edits in every track. `tracks` are the time scale of each track, and the time
 * that its media begin at, in that scale.
 */
export function withEdits(
  file: Buffer,
  edits: readonly Mp4Edit[],
  tracks: readonly { readonly scale: number; readonly start: number }[],
): Buffer {
  /** Of the movie header, as ffmpeg writes it. */
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

/** The same fragmented file, beginning so many seconds later. `scales` are the time scales of its tracks. */
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
