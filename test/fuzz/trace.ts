import { execFileSync } from 'node:child_process';
import { basename, resolve } from 'node:path';

/** The reason why this machine cannot trace system calls; undefined if it can. */
export function whyUntraceable(): string | undefined {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'strace is not installed or not allowed: apt install strace';
  }
}

/** All system calls that open, create, move or remove a file, use the network, or start a process. */
const CALLS =
  'trace=%network,/^(open|creat|rename|unlink|mkdir|rmdir|link|symlink|truncate|mknod|execve|clone|fork|vfork)';

/** The argv that runs a program and traces the system calls of all its processes into a file. */
export function traced(file: string, argv: readonly string[]): readonly [string, ...string[]] {
  return ['strace', '-f', '--seccomp-bpf', '-e', CALLS, '-o', file, ...argv];
}

/** An access of a process to a file or the network. */
export interface Touch {
  /** `ffmpeg` or `ffprobe`; empty for the worker itself and all other programs. */
  readonly program: string;
  /** Identifies a process with all its threads. */
  readonly run: number;
  readonly kind: 'read' | 'write' | 'network';
  /** An absolute path, with its symbolic links unresolved, or the call with the address. */
  readonly what: string;
}

const MEDIA_PROGRAMS = ['ffmpeg', 'ffprobe'];
const WRITING = /\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/;
/** The network calls of the worker itself; the pipes to its children use others. */
const NETWORK_CALLS = /^(connect|bind|listen|accept|sendto)/;
const FILE_CALLS = /^(open|creat|rename|unlink|mkdir|rmdir|link|symlink|truncate|mknod)/;

interface Process {
  program: string;
  run: number;
}

/** Yields the accesses in a trace. Relative paths are resolved against `cwd`. */
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
    // `clone3(…) = 17`, or, if the trace was interleaved with another thread, `<... clone3 resumed>…) = 17`.
    const begun = /^(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (\d+)$/.exec(text)?.[1];
    // The first calls of the new process may precede that line.
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
    } else if (self.program ? !/^(clone|v?fork)/.test(call) : NETWORK_CALLS.test(call)) {
      yield { ...self, kind: 'network', what: text };
    }
  }
}

/** The libraries and system files that a media program opens before it opens its source. */
const SYSTEM =
  /^(\/usr\/|\/lib(32|64|x32)?\/|\/etc\/(ld\.so\.cache$|localtime$|gcrypt\/|ssl\/openssl\.cnf$)|\/proc\/(filesystems|cpuinfo|meminfo|self\/status|sys\/crypto\/fips_enabled)$|\/sys\/devices\/system\/)/;

/**
 * Yields the forbidden accesses. All programs may write only within the folder, and may not use the network. A media
 * program may access only system libraries and one folder below `directory`, that of its own source.
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
