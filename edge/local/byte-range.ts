import type { ByteRange } from '../../core/storage/ports.ts';

/**
 * Reads a Range header for an object of so many bytes (RFC 9110, 14.2): one range; `whole` for what
 * is no range or several, as S3 answers those; `unsatisfiable` for one outside the object.
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
