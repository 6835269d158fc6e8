/** The part of a video that an address selects: `#t=10`, `#t=10,20`, `#t=npt:1:30`, `#t=,20`. */
export interface MediaFragment {
  /** Seconds; 0 by default. */
  readonly start: number;
  /** Seconds; Infinity by default. */
  readonly end: number;
}

/** Parses the temporal dimension of https://www.w3.org/TR/media-frags/, and ignores invalid values as it demands. */
export function parseMediaFragment(address: string): MediaFragment {
  const whole: MediaFragment = { start: 0, end: Infinity };
  const hash = address.includes('#') ? address.slice(address.indexOf('#') + 1) : '';
  const value = new URLSearchParams(hash).get('t')?.replace(/^npt:/, '');
  if (!value) return whole;
  const [from = '', to = '', ...more] = value.split(',');
  const fragment = { start: parseTime(from) ?? 0, end: parseTime(to) ?? Infinity };
  const isInvalid =
    more.length > 0 || [from, to].some((time) => time && parseTime(time) === undefined);
  return isInvalid || fragment.start >= fragment.end ? whole : fragment;
}

/** Returns `90`, `90.5`, `1:30` or `1:01:30` in seconds, and undefined for anything else. */
export function parseTime(time: string): number | undefined {
  if (!/^(\d+:){0,2}\d+(\.\d*)?$/.test(time.trim())) return undefined;
  return time.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0);
}
