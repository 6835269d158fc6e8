import type { ByteRange } from '../../worker/io/ports.ts';

/**
 * Reads a Range header for an object of so many bytes (RFC 9110, 14.2): one range; `whole` for what
 * is no range or several, as S3 answers those; `unsatisfiable` for one outside the object.
 */
export function readRange(
  header: string | undefined,
  size: number,
): Required<ByteRange> | 'whole' | 'unsatisfiable' {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!parts) return 'whole';
  const [, from = '', to = ''] = parts;
  if (from === '' && to === '') return 'whole';
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length > 0 ? { first: size - length, last: size - 1 } : 'unsatisfiable';
  }
  const first = Number(from);
  const last = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== '' && Number(to) < first) return 'whole';
  return first < size ? { first, last } : 'unsatisfiable';
}
