/** The part of a video that an address asks for: `#t=10`, `#t=10,20`, `#t=npt:1:30`, `#t=,20`. */
export interface Stretch {
  /** Seconds; 0 where the address says none. */
  readonly from: number;
  /** Seconds; infinite where the address says none. */
  readonly to: number;
}

/** The temporal dimension of https://www.w3.org/TR/media-frags/; what makes no sense is ignored, as there. */
export function stretchOf(address: string): Stretch {
  const all: Stretch = { from: 0, to: Infinity };
  const hash = address.includes('#') ? address.slice(address.indexOf('#') + 1) : '';
  const value = new URLSearchParams(hash).get('t')?.replace(/^npt:/, '');
  if (!value) return all;
  const [from = '', to = '', ...more] = value.split(',');
  const stretch = { from: secondsOf(from) ?? 0, to: secondsOf(to) ?? Infinity };
  const isWrong = more.length > 0 || [from, to].some((one) => one && secondsOf(one) === undefined);
  return isWrong || stretch.from >= stretch.to ? all : stretch;
}

/** `90`, `90.5`, `1:30` or `1:01:30` in seconds; undefined for anything else. */
export function secondsOf(clock: string): number | undefined {
  if (!/^(\d+:){0,2}\d+(\.\d*)?$/.test(clock.trim())) return undefined;
  return clock.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0);
}
