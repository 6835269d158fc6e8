import type { ReadyItem } from '../schema.ts';

/** 1 MB is a million bytes, as disks and networks count. */
export function bytesText(bytes: number): string {
  return withPrefix(bytes, 'B');
}

export function bitRateText(bitsPerSecond: number): string {
  return withPrefix(bitsPerSecond, 'b/s');
}

/** Intl writes `8,389 kB` and `0.999 GB`: it does not choose the prefix. */
function withPrefix(value: number, unit: string): string {
  // 999,500 rounds to 1,000 k, so it is 1.0 M.
  const power = value < 1000 ? 0 : Math.min(Math.floor(Math.log10(value / 0.9995) / 3), 4);
  const scaled = value / 1000 ** power;
  return `${scaled.toFixed(scaled < 10 && power > 1 ? 1 : 0)} ${['', 'k', 'M', 'G', 'T'][power] ?? ''}${unit}`;
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

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Writes date and time in the language of the browser. */
export function dayText(iso: string): string {
  return DAY.format(new Date(iso));
}

const REASONS: Readonly<Record<ReadyItem['skipped'][number]['reason'], string>> = {
  larger_than_source: 'the picture of the file is smaller, and is never enlarged',
  same_size_as_another: 'it would have the size of another one',
};

/** A sentence for each reason for which rungs of the ladder were left out. */
export function skippedSentences(skipped: ReadyItem['skipped']): readonly string[] {
  return [...Map.groupBy(skipped, ({ reason }) => reason)].map(
    ([reason, rungs]) =>
      `${rungs.map(({ rung }) => rung).join(', ')} left out: ${REASONS[reason]}.`,
  );
}
