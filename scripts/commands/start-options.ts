import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { UsageError, mistakesInFiles, readArguments, wholeNumber } from '../cli/arguments.ts';
import { siteOf } from '../../edge/sites.ts';
import type { SOUND_ALONE } from '../../core/environment.ts';

export const HELP = `Usage: ./scripts/start [options] [file …]

Turns video files into adaptive HLS and serves them on this machine, until Ctrl-C.
Without a file it makes a short clip and plays that.

Options:
  --once          end when the given files are done; exit 0 only if all are ready
  --export DIR    copy each finished asset to DIR, as files for any web server
  --workers N     worker processes (default: one for each core)
  --port N        the port of the pages and videos; 0 for any free one (default: 8080)
  --data DIR      where everything is kept (default: data, beside this program)
  --allow SITE    an origin whose pages may show the videos, https://site.example, or
                  https://*.site.example for its subdomains; can be given several times
  --refuse-sound-alone
                  reject files that have sound but no moving picture, as recordings of
                  speech and music: they become assets with a poster otherwise
  --rebuild       first make the index of the data folder anew, when it is lost or
                  damaged, from what is kept beside each file; safe to break off
  --help          this text

On a terminal there is a progress bar for each file. Otherwise each file becomes one
line of JSON on standard output, and logs go to standard error.
`;

export interface Options {
  readonly files: readonly string[];
  readonly once: boolean;
  readonly exportDirectory?: string;
  readonly workers: number;
  readonly port: number;
  readonly dataDirectory: string;
  readonly allowedSites: readonly string[];
  readonly rebuild: boolean;
  readonly soundAlone: (typeof SOUND_ALONE)[number];
}

const KNOWN = {
  once: 'boolean',
  export: 'string',
  workers: 'string',
  port: 'string',
  data: 'string',
  allow: 'string',
  'refuse-sound-alone': 'boolean',
  rebuild: 'boolean',
  help: 'boolean',
} as const;

/** Reads the command line; `help` when that is asked for. Throws UsageError naming every mistake at once. */
export function readOptions(argv: readonly string[], defaultData: string): Options | 'help' {
  const { words: files, values, has, last, mistakes: wrong } = readArguments(argv, KNOWN);
  if (has('help')) return 'help';
  const mistakes = [...wrong];
  const whole = (name: 'workers' | 'port', least: number, most: number, usual: number) =>
    wholeNumber(name, last(name) ?? String(usual), [least, most], mistakes) ?? usual;
  const workers = whole('workers', 1, 64, Math.min(64, availableParallelism()));
  const port = whole('port', 0, 65_535, 8080);
  const allowedSites = (values.get('allow') ?? []).flatMap((text) => {
    const site = siteOf(text);
    if (site !== undefined) return [site];
    mistakes.push(
      `--allow takes an origin like https://site.example, not ${JSON.stringify(text)}.`,
    );
    return [];
  });
  mistakes.push(...mistakesInFiles(files));
  if (has('once') && files.length === 0) mistakes.push('--once needs the files to wait for.');
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  const exportDirectory = last('export');
  return {
    files,
    once: has('once'),
    ...(exportDirectory ? { exportDirectory: resolve(exportDirectory) } : {}),
    workers,
    port,
    dataDirectory: resolve(last('data') ?? defaultData),
    allowedSites,
    rebuild: has('rebuild'),
    soundAlone: has('refuse-sound-alone') ? 'refused' : 'taken',
  };
}
