import { resolve } from 'node:path';
import { UsageError, mistakesInFiles, readArguments, wholeNumber } from '../cli/arguments.ts';
import { nameOf } from '../cli/file-name.ts';

/** What deploy and teardown say at Ctrl-C. */
export const STOPPING = 'Stopping when what is being made is whole. The same command goes on.';

export interface StageOptions<Flag extends string> {
  readonly stage: string;
  readonly flags: ReadonlySet<Flag>;
}

/** A stage and flags. Throws UsageError naming every mistake; `help` when that is asked for. */
export function readStageOptions<Flag extends string>(
  argv: readonly string[],
  flags: readonly Flag[],
): StageOptions<Flag> | 'help' {
  const known = Object.fromEntries(['help', ...flags].map((flag) => [flag, 'boolean' as const]));
  const { words, has, mistakes: wrong } = readArguments(argv, known);
  if (has('help')) return 'help';
  const mistakes = [...wrong];
  const stage = oneStage(words, mistakes);
  if (stage === undefined || mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return { stage, flags: new Set(flags.filter(has)) };
}

/** The only word of a command line; a mistake more where it is none or not the only one. */
function oneStage(words: readonly string[], mistakes: string[]): string | undefined {
  const [stage, ...more] = words;
  if (stage === undefined) mistakes.push('Which stage?');
  if (more.length > 0) mistakes.push(`One stage at a time, not also ${more.join(', ')}.`);
  return stage;
}

export const UPLOAD_HELP = `Usage: ./scripts/upload <stage> <file …> [options]

Uploads video files to a stage, waits until they play, and prints where. An upload that is cut
off goes on when the same command is run again: what was sent is not sent again.

Options:
  --title TEXT   what viewers read, instead of the file's name; for one file
  --no-wait      end when the files are uploaded
  --help         this text

A file is known by its name: another one by the same name takes its place, as a new video. On a
terminal there is a progress bar for each file. Otherwise each file becomes one line of JSON on
standard output. Ends with 0 only if all files are ready (with --no-wait: uploaded).
`;

export interface UploadOptions {
  readonly stage: string;
  readonly files: readonly string[];
  readonly title?: string;
  readonly wait: boolean;
}

/** Throws UsageError naming every mistake; `help` when that is asked for. */
export function readUploadOptions(argv: readonly string[]): UploadOptions | 'help' {
  const known = { title: 'string', 'no-wait': 'boolean', help: 'boolean' } as const;
  const { words, has, last, mistakes: wrong } = readArguments(argv, known);
  if (has('help')) return 'help';
  const [stage, ...files] = words;
  const names = files.map(nameOf);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) < index));
  const title = last('title');
  const mistakes = [
    ...wrong,
    ...(stage === undefined ? ['Which stage?'] : []),
    ...(stage !== undefined && files.length === 0 ? ['Which files?'] : []),
    ...mistakesInFiles(files),
    ...[...twice].map(
      (name) =>
        `Several files are named ${JSON.stringify(name)}, by which a file is known. Rename them, or upload one after the other is ready.`,
    ),
    ...(title !== undefined && files.length > 1 ? ['--title is for one file.'] : []),
  ];
  if (stage === undefined || mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return {
    stage,
    files,
    ...(title === undefined ? {} : { title }),
    wait: !has('no-wait'),
  };
}

export const STATUS_HELP = `Usage: ./scripts/status <stage> [options]

Tells how a stage is doing: its workers, its queue, the jobs that are in work with their percent,
and how the last ones ended.

Options:
  --last N   so many of the open jobs and of those that ended are told of, at most 1000 (default: 20)
  --json     as one line of JSON
  --help     this text

All jobs are counted, by one listing of the work bucket; only the newest are read.
`;

export interface StatusOptions {
  readonly stage: string;
  readonly json: boolean;
  readonly last: number;
}

/** Throws UsageError naming every mistake; `help` when that is asked for. */
export function readStatusOptions(argv: readonly string[]): StatusOptions | 'help' {
  const known = { last: 'string', json: 'boolean', help: 'boolean' } as const;
  const { words, has, last, mistakes: wrong } = readArguments(argv, known);
  if (has('help')) return 'help';
  const mistakes = [...wrong];
  const stage = oneStage(words, mistakes);
  const most = wholeNumber('last', last('last') ?? '20', [1, 1000], mistakes);
  if (stage === undefined || most === undefined || mistakes.length > 0) {
    throw new UsageError(mistakes.join('\n'));
  }
  return { stage, json: has('json'), last: most };
}

export const SMOKE_HELP = `Usage: ./scripts/smoke <stage> [options]

Tries a deployed stage from outside, for cents and within some ten minutes: uploads a clip of two
seconds, times how workers come up from none, fetches the video as pages of the site, as other
sites and past the CDN, deletes it again, and looks for the CDN's logs. Each line says OK, or what is
wrong and what to do.

Options:
  --teardown   at the end take the stage away, with every video in it; not for a protected stage
  --json       as one line of JSON
  --help       this text

Ends with 0 when nothing is wrong. Checks that could not be tried, as in an emulator of AWS, are named and are
neither.
`;

/** Throws UsageError naming every mistake; `help` when that is asked for. */
export function readSmokeOptions(
  argv: readonly string[],
): StageOptions<'json' | 'teardown'> | 'help' {
  return readStageOptions(argv, ['json', 'teardown']);
}

export const CHECK_HELP = `Usage: ./scripts/check [options]
       ./scripts/check <stage> [options]

Finds work whose message was lost, on this machine or in a stage, and sends it again: uploads that
never became a job, units that nobody holds, and finished jobs that were not published. Removes versions
that no video names any more, 14 days after a check has first seen them so: what was replaced, and what
rejected and failed jobs have left.

Options:
  --data DIR  the data folder of this machine (default: data, beside this program)
  --plan      only tell what is found; send and remove nothing
  --json      as one line of JSON
  --help      this text

Safe at any time, also while workers run: work that is done is not done again. Nothing is sent of
which anything was heard in the last ten minutes, or while the queue holds as many messages as there
is work. A video that is worked on keeps everything. Ends with 1 when a job cannot be asked for again,
as nothing tells what was asked for.
`;

export type CheckOptions = { readonly plan: boolean; readonly json: boolean } & (
  { readonly stage: string } | { readonly data: string }
);

/** Throws UsageError naming every mistake; `help` when that is asked for. */
export function readCheckOptions(
  argv: readonly string[],
  defaultData: string,
): CheckOptions | 'help' {
  const known = { data: 'string', plan: 'boolean', json: 'boolean', help: 'boolean' } as const;
  const { words, has, last, mistakes: wrong } = readArguments(argv, known);
  if (has('help')) return 'help';
  const mistakes = [...wrong];
  const stage = words.length > 0 ? oneStage(words, mistakes) : undefined;
  if (stage !== undefined && has('data')) mistakes.push('--data is for one machine, not a stage.');
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  const flags = { plan: has('plan'), json: has('json') };
  return stage === undefined
    ? { ...flags, data: resolve(last('data') ?? defaultData) }
    : { ...flags, stage };
}

export const STUDIO_HELP = `Usage: ./scripts/studio <stage> [options]

Serves, on this machine only, a page to upload videos to a stage and to look after them: drag files
in, see how far each is and what was made of it, copy what embeds it, delete it. It prints the page's
address, and works until Ctrl-C.

Options:
  --port N   the port of the page; 0 for any free one (default: 8090)
  --help     this text

It works with your own AWS credentials, of which the page gets none: each part of an upload goes to
the bucket by an address that is signed for it. Whoever can open a connection on this machine can use it.
`;

export interface StudioOptions {
  readonly stage: string;
  readonly port: number;
}

/** Throws UsageError naming every mistake; `help` when that is asked for. */
export function readStudioOptions(argv: readonly string[]): StudioOptions | 'help' {
  const known = { port: 'string', help: 'boolean' } as const;
  const { words, has, last, mistakes: wrong } = readArguments(argv, known);
  if (has('help')) return 'help';
  const mistakes = [...wrong];
  const stage = oneStage(words, mistakes);
  const port = wholeNumber('port', last('port') ?? '8090', [0, 65_535], mistakes);
  if (stage === undefined || port === undefined || mistakes.length > 0) {
    throw new UsageError(mistakes.join('\n'));
  }
  return { stage, port };
}

export const DEAD_LETTERS_HELP = `Usage: ./scripts/dead-letters <stage> list
       ./scripts/dead-letters <stage> show <id>
       ./scripts/dead-letters <stage> replay <id …>
       ./scripts/dead-letters <stage> drop <id …>

Messages that were given up: lists them with their reasons, shows one whole, sends them back to
the queue to be worked on again, or drops them. Of an id its beginning is enough.

Options:
  --all    replay or drop every one
  --yes    drop without asking
  --json   as one line of JSON
  --help   this text

A message is sent back before it is deleted: it may come twice, but is never lost. At most 1000
are taken at a time.
`;

export type Chosen = 'all' | readonly string[];

export type DeadLettersOptions = { readonly stage: string; readonly json: boolean } & (
  | { readonly action: 'list' }
  | { readonly action: 'show' | 'replay'; readonly chosen: Chosen }
  | { readonly action: 'drop'; readonly chosen: Chosen; readonly yes: boolean }
);

/** Throws UsageError naming every mistake; `help` when that is asked for. */
export function readDeadLettersOptions(argv: readonly string[]): DeadLettersOptions | 'help' {
  const known = { all: 'boolean', yes: 'boolean', json: 'boolean', help: 'boolean' } as const;
  const { words, has, mistakes: wrong } = readArguments(argv, known);
  if (has('help')) return 'help';
  const mistakes = [...wrong];
  const [stage, action, ...ids] = words;
  const whole = { stage: stage ?? '', json: has('json') };
  const chosen = has('all') ? 'all' : ids;
  if (stage === undefined) mistakes.push('Which stage?');
  switch (action) {
    case 'list':
      if (ids.length > 0 || has('all')) mistakes.push('list lists them all.');
      break;
    case 'show':
      if (ids.length !== 1 || has('all')) mistakes.push('show shows one: which id?');
      break;
    case 'replay':
    case 'drop':
      if ((ids.length === 0) === !has('all')) mistakes.push(`${action} wants ids, or --all.`);
      break;
    case undefined:
      if (stage !== undefined) mistakes.push('What: list, show, replay or drop?');
      break;
    default:
      mistakes.push(`${action} is none of list, show, replay and drop.`);
  }
  if (has('yes') && action !== 'drop') mistakes.push('--yes is for drop.');
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  if (action === 'drop') return { ...whole, action, chosen, yes: has('yes') };
  return action === 'show' || action === 'replay'
    ? { ...whole, action, chosen }
    : { ...whole, action: 'list' };
}

export const PLAY_ADDRESS_HELP = `Usage: ./scripts/play-address <stage> <asset> [--for TIME]
       ./scripts/play-address <stage> --rotate

Signs an address at which an asset plays for a while, in a stage that demands playback tokens: in
apps, and on pages of the allowed sites. Who has it may pass it on; it opens no other asset. A
site's backend signs by itself: edge/playback-token.ts.

Options:
  --for TIME   how long it is good, as 90s, 15m, 4h or 7d; more than the video lasts (default: 4h)
  --rotate     draw a new key for the next deploy to bring to the edge
  --help       this text

Two keys are good at the edge: after a rotation addresses are signed with the new one, and those
that are out stay good until they expire, or until a second rotation. To end all that are out,
rotate and deploy twice. Not on a terminal the result is one line of JSON.
`;

export type PlayAddressOptions = { readonly stage: string } & (
  | { readonly action: 'sign'; readonly asset: string; readonly seconds: number }
  | { readonly action: 'rotate' }
);

const UNIT_SECONDS = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

const MOST_SECONDS = 365 * 86_400;

/** Throws UsageError naming every mistake; `help` when that is asked for. */
export function readPlayAddressOptions(argv: readonly string[]): PlayAddressOptions | 'help' {
  const known = { for: 'string', rotate: 'boolean', help: 'boolean' } as const;
  const { words, has, last, mistakes: wrong } = readArguments(argv, known);
  if (has('help')) return 'help';
  const [stage, asset, ...more] = words;
  const mistakes = [...wrong];
  if (stage === undefined) mistakes.push('Which stage?');
  if (has('rotate')) {
    if (asset !== undefined || has('for')) mistakes.push('--rotate is for the whole stage.');
    if (stage === undefined || mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
    return { stage, action: 'rotate' };
  }
  if (stage !== undefined && asset === undefined) mistakes.push('Which asset?');
  if (asset !== undefined && !/^[0-9a-z]+$/.test(asset)) {
    mistakes.push(`${JSON.stringify(asset)} is no id of an asset.`);
  }
  if (more.length > 0) mistakes.push(`One asset at a time, not also ${more.join(', ')}.`);
  const time = last('for') ?? '4h';
  const [, number, unit = ''] = /^(\d+)([smhd])$/.exec(time) ?? [];
  const seconds = Number(number) * (UNIT_SECONDS.get(unit) ?? NaN);
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    mistakes.push(
      `--for is a time like 90s, 15m, 4h or 7d, at most 365d, not ${JSON.stringify(time)}.`,
    );
  }
  if (stage === undefined || asset === undefined || mistakes.length > 0) {
    throw new UsageError(mistakes.join('\n'));
  }
  return { stage, action: 'sign', asset, seconds };
}
