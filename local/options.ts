import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isOrigin } from '../edge/source.ts';

export const HELP = `Usage: ./scripts/start [options] [file …]

Turns video files into adaptive HLS and serves them on this machine, until Ctrl-C.
Without a file it makes a short clip and plays that.

Options:
  --once          end when the given files are done; exit 0 only if all are ready
  --export DIR    copy each finished asset to DIR, as files for any web server
  --workers N     worker processes (default: one for each core)
  --port N        the port of the pages and videos; 0 for any free one (default: 8080)
  --data DIR      where everything is kept (default: data, beside this program)
  --allow SITE    an origin whose pages may show the videos, https://site.example;
                  can be given several times
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
}

/** What is wrong with the command line, a sentence for each mistake. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const KNOWN = {
  once: { type: 'boolean' },
  export: { type: 'string' },
  workers: { type: 'string' },
  port: { type: 'string' },
  data: { type: 'string' },
  allow: { type: 'string', multiple: true },
  help: { type: 'boolean' },
} as const;

/** Reads the command line; `help` when that is asked for. Throws UsageError naming every mistake at once. */
export function readOptions(argv: readonly string[], defaultData: string): Options | 'help' {
  const mistakes: string[] = [];
  const values = new Map<string, string[]>();
  const files: string[] = [];
  const { tokens } = parseArgs({
    args: [...argv],
    options: KNOWN,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') files.push(token.value);
    if (token.kind !== 'option') continue;
    const known = Object.hasOwn(KNOWN, token.name)
      ? KNOWN[token.name as keyof typeof KNOWN]
      : undefined;
    if (!known) mistakes.push(`There is no option ${token.rawName}.`);
    else if (known.type === 'boolean' && token.inlineValue)
      mistakes.push(`${token.rawName} takes no value.`);
    else if (known.type === 'string' && isMissing(token))
      mistakes.push(`${token.rawName} needs a value.`);
    else values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? '']);
  }
  if (values.has('help')) return 'help';

  const last = (name: string) => values.get(name)?.at(-1);
  const whole = (name: string, least: number, most: number, usual: number) => {
    const text = last(name) ?? String(usual);
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    mistakes.push(
      `--${name} is a whole number from ${least} to ${most}, not ${JSON.stringify(text)}.`,
    );
    return usual;
  };
  const workers = whole('workers', 1, 64, Math.min(64, availableParallelism()));
  const port = whole('port', 0, 65_535, 8080);
  const allowedSites = values.get('allow') ?? [];
  for (const site of allowedSites) {
    if (!isOrigin(site)) {
      mistakes.push(
        `--allow takes an origin like https://site.example, not ${JSON.stringify(site)}.`,
      );
    }
  }
  for (const file of files) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) mistakes.push(`There is no file ${JSON.stringify(file)}.`);
    else if (!found.isFile()) mistakes.push(`${JSON.stringify(file)} is not a file.`);
  }
  if (values.has('once') && files.length === 0) {
    mistakes.push('--once needs the files to wait for.');
  }
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  const exportDirectory = last('export');
  return {
    files: files.map((file) => resolve(file)),
    once: values.has('once'),
    ...(exportDirectory ? { exportDirectory: resolve(exportDirectory) } : {}),
    workers,
    port,
    dataDirectory: resolve(last('data') ?? defaultData),
    allowedSites,
  };
}

/** An option that follows another is not the other's value, unless it is written so: `--data=-x`. */
function isMissing({
  value,
  inlineValue,
}: {
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}): boolean {
  return !value || (!inlineValue && value.startsWith('-'));
}
