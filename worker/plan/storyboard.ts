import type { Storyboard } from './plan.ts';

/** A WebVTT file whose cues refer to tiles of the sheets by media fragments (`#xywh=`). */
export function storyboardVtt(storyboard: Storyboard, durationSeconds: number): string {
  const { tile, columns, rows, intervalSeconds, tiles } = storyboard;
  const cues = Array.from({ length: tiles }, (_, index) => {
    const from = index * intervalSeconds;
    const to = index === tiles - 1 ? durationSeconds : from + intervalSeconds;
    const position = index % (columns * rows);
    const x = (position % columns) * tile.width;
    const y = Math.floor(position / columns) * tile.height;
    const sheet = Math.floor(index / (columns * rows));
    return `${clock(from)} --> ${clock(to)}\nstoryboard-${sheet}.jpg#xywh=${x},${y},${tile.width},${tile.height}\n`;
  });
  return `WEBVTT\n\n${cues.join('\n')}`;
}

function clock(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  const part = (divisor: number, modulus: number, width: number) =>
    String(Math.floor(milliseconds / divisor) % modulus).padStart(width, '0');
  return `${part(3_600_000, 1e6, 2)}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}.${part(1, 1000, 3)}`;
}
