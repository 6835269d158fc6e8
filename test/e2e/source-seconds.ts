import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Probed {
  readonly packets: readonly {
    readonly codec_type: string;
    readonly pts_time?: string;
    readonly duration_time?: string;
    readonly flags: string;
  }[];
}

/**
 * The duration of a source by its packets: from the first shown picture or sound to the end of the last. Independent of
 * the worker's own measurement.
 */
export async function sourceSeconds(file: string): Promise<number> {
  const entries = 'packet=codec_type,pts_time,duration_time,flags';
  const argv = ['-v', 'error', '-show_entries', entries, '-of', 'json', file];
  const { stdout } = await promisify(execFile)('ffprobe', argv, { maxBuffer: 2 ** 28 });
  const { packets } = JSON.parse(stdout) as Probed;
  let first = Infinity;
  let end = -Infinity;
  for (const { codec_type, pts_time, duration_time = '0', flags } of packets) {
    // An edit list leaves packets in the file that are decoded and not shown.
    if (!/video|audio/.test(codec_type) || pts_time === undefined || flags.includes('D')) continue;
    first = Math.min(first, Number(pts_time));
    end = Math.max(end, Number(pts_time) + Number(duration_time));
  }
  return end - first;
}
