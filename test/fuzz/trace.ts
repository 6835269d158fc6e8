import { execFileSync } from 'node:child_process';
import { basename, resolve } from 'node:path';

/** Why nothing can be traced here; undefined where it can. */
export function whyUntraced(): string | undefined {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'strace is not installed or not allowed: apt install strace';
  }
}

/** Every way to open, make, move or remove a file, to use the network, and to become another process. */
const CALLS =
  'trace=%network,/^(open|creat|rename|unlink|mkdir|rmdir|link|symlink|truncate|mknod|execve|clone|fork|vfork)';

/** The words of a command that runs a program, and all that it starts, and writes down their system calls. */
export function traced(file: string, argv: readonly string[]): readonly [string, ...string[]] {
  return ['strace', '-f', '--seccomp-bpf', '-e', CALLS, '-o', file, ...argv];
}

/** One thing that a process did with the world outside of it. */
export interface Touch {
  /** `ffmpeg` or `ffprobe`; empty for the worker itself and all else. */
  readonly program: string;
  /** Names the process, among those that live at the same time, and all its threads. */
  readonly run: number;
  readonly kind: 'read' | 'write' | 'network';
  /** A path without symbolic links resolved, or the call with the address. */
  readonly what: string;
}

const MEDIA_PROGRAMS = ['ffmpeg', 'ffprobe'];
const WRITING = /\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/;
/** Of the worker itself: the pipes to its children are made with other calls. */
const REACHING = /^(connect|bind|listen|accept|sendto)/;
const FILE_CALLS = /^(open|creat|rename|unlink|mkdir|rmdir|link|symlink|truncate|mknod)/;

interface Process {
  program: string;
  run: number;
}

/** What the processes of a trace touched. Relative paths are those of a process that started in `cwd`. */
export function* touchesOf(trace: string, cwd = process.cwd()): Generator<Touch> {
  const threads = new Map<number, Process>();
  let runs = 0;
  const find = (thread: number) => {
    let found = threads.get(thread);
    if (!found) threads.set(thread, (found = { program: '', run: 0 }));
    return found;
  };
  for (const line of trace.split('\n')) {
    const [, id, text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const thread = Number(id);
    if (text.startsWith('+++ ')) threads.delete(thread);
    // `clone3(…) = 17`, or, when another thread came in between, `<... clone3 resumed>…) = 17`.
    const begun = /^(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)$/.exec(text)?.[1];
    // Its first calls may stand above that line.
    if (begun !== undefined && !find(Number(begun)).program) {
      threads.set(Number(begun), { ...find(thread) });
    }
    const call = /^(\w+)\(/.exec(text)?.[1];
    if (call === undefined || begun !== undefined) continue;
    const self = find(thread);
    const paths = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path = '']) =>
      resolve(cwd, path),
    );
    if (call === 'execve') {
      const program = basename(paths[0] ?? '');
      if (MEDIA_PROGRAMS.includes(program)) {
        self.program = program;
        self.run = runs += 1;
      } else if (self.program) yield { ...self, kind: 'read', what: paths[0] ?? '' };
    } else if (FILE_CALLS.test(call)) {
      const kind = call.startsWith('open') && !WRITING.test(text) ? 'read' : 'write';
      for (const what of paths) yield { ...self, kind, what };
    } else if (self.program ? !/^(clone|v?fork)/.test(call) : REACHING.test(call)) {
      yield { ...self, kind: 'network', what: text };
    }
  }
}

/** What a media program opens before it knows its source: libraries, and what they ask of the system. */
const SYSTEM =
  /^(\/usr\/|\/lib(32|64|x32)?\/|\/etc\/(ld\.so\.cache$|localtime$|gcrypt\/|ssl\/openssl\.cnf$)|\/proc\/(filesystems|cpuinfo|meminfo|self\/status|sys\/crypto\/fips_enabled)$|\/sys\/devices\/system\/)/;

/**
 * The touches that must not be. Whatever runs writes within the folder and knows no network; a media
 * program knows nothing but the system's libraries and one folder in it, that of its own source.
 */
export function* escapesOf(touches: Iterable<Touch>, directory: string): Generator<string> {
  const folders = new Map<number, string>();
  for (const { program, run, kind, what } of touches) {
    const name = program || 'the worker';
    if (kind === 'network') yield `${name} used the network: ${what}`;
    else if (what === '/dev/null') continue;
    else if (!what.startsWith(`${directory}/`)) {
      if (kind === 'write' || (program && !SYSTEM.test(what))) yield `${name}, ${kind}: ${what}`;
    } else if (program) {
      const folder = what.slice(directory.length + 1).split('/')[0] ?? '';
      if (folder !== (folders.get(run) ?? folder)) yield `${name}, of another file: ${what}`;
      folders.set(run, folder);
    }
  }
}
