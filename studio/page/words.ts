import type { ReadyItem } from '../schema.ts';

/** Whatever the page writes of figures. */

/** 1 MB is a million bytes, as disks and networks count. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  // What rounds to a thousand of a unit is one of the next.
  const power = Math.min(Math.floor(Math.log10(bytes / 0.9995) / 3), 4);
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 10 && power > 1 ? 1 : 0)} ${['', 'kB', 'MB', 'GB', 'TB'][power] ?? ''}`;
}

export function bitRateText(bitsPerSecond: number): string {
  return bitsPerSecond < 999_500
    ? `${Math.round(bitsPerSecond / 1000)} kb/s`
    : `${(bitsPerSecond / 1e6).toFixed(1)} Mb/s`;
}

export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

export function timeLeft(seconds: number): string {
  if (seconds < 5) return 'a few seconds left';
  if (seconds < 90) return `${Math.ceil(seconds / 5) * 5} s left`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** As the person's browser writes the date and the hour. */
export function dayText(iso: string): string {
  return DAY.format(new Date(iso));
}

const REASONS: Readonly<Record<ReadyItem['skipped'][number]['reason'], string>> = {
  larger_than_source: 'the picture of the file is smaller, and is never enlarged',
  same_size_as_another: 'the size would be that of another one',
};

/** A sentence for each reason why steps of the ladder are not there. */
export function skippedSentences(skipped: ReadyItem['skipped']): readonly string[] {
  return [...Map.groupBy(skipped, ({ reason }) => reason)].map(
    ([reason, steps]) =>
      `${steps.map(({ rung }) => rung).join(', ')} left out: ${REASONS[reason]}.`,
  );
}
