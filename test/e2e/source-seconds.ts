import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Probed {
  readonly format: {
    readonly format_name: string;
    readonly start_time?: string;
    readonly duration?: string;
  };
  readonly packets: readonly {
    readonly codec_type: string;
    readonly pts_time?: string;
    readonly duration_time?: string;
    readonly flags: string;
  }[];
}

/**
 * How long a source is, by its packets: from the first picture or sound that is shown to the end of
 * the last. What the worker says of it is not asked.
 */
export async function sourceSeconds(file: string): Promise<number> {
  const entries =
    'format=format_name,start_time,duration:packet=codec_type,pts_time,duration_time,flags';
  const argv = ['-v', 'error', '-show_entries', entries, '-of', 'json', file];
  const { stdout } = await promisify(execFile)('ffprobe', argv, { maxBuffer: 2 ** 28 });
  const { format, packets } = JSON.parse(stdout) as Probed;
  let first = Infinity;
  let end = -Infinity;
  for (const { codec_type, pts_time, duration_time = '0', flags } of packets) {
    // An edit list leaves packets in the file that are decoded and not shown.
    if (!/video|audio/.test(codec_type) || pts_time === undefined || flags.includes('D')) continue;
    first = Math.min(first, Number(pts_time));
    end = Math.max(end, Number(pts_time) + Number(duration_time));
  }
  // It can also end what is shown before the packets do. Other containers only guess how long they are.
  const cut = Number(format.start_time) + Number(format.duration);
  const edited = /^(mov|matroska)/.test(format.format_name) && Number.isFinite(cut);
  return (edited ? Math.min(cut, end) : end) - first;
}
