import type { ByteRange } from '../../core/storage/ports.ts';

/**
 * Parses a Range header (RFC 9110, 14.2). Returns `whole` if it is invalid or names several ranges, as S3
 * does, and `unsatisfiable` for a range outside the object.
 */
export function readRange(
  header: string | undefined,
  sizeBytes: number,
): Required<ByteRange> | 'whole' | 'unsatisfiable' {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return 'whole';
  const end = sizeBytes - 1;
  if (from === '') {
    const length = Math.min(Number(to), sizeBytes);
    return length > 0 ? { first: sizeBytes - length, last: end } : 'unsatisfiable';
  }
  const first = Number(from);
  const last = to === '' ? Infinity : Number(to);
  if (last < first) return 'whole';
  return first <= end ? { first, last: Math.min(last, end) } : 'unsatisfiable';
}
