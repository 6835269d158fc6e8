import { readFileSync } from 'node:fs';
import type { ProcessLimits } from '../plan/limits.ts';

/** The only environment variables that programs inherit. They must not see secrets. */
const INHERITED_VARIABLES = ['PATH', 'LD_LIBRARY_PATH'];

/**
 * By default glibc reserves 64 MiB of address space for each thread.
 * https://man7.org/linux/man-pages/man3/mallopt.3.html
 */
const FIXED_VARIABLES = ['MALLOC_ARENA_MAX=1'];

/** A run has some twenty files open: a source, its segments and libraries. */
const OPEN_FILES = 64;

/** Between SIGXCPU and SIGKILL. */
const GRACE_SECONDS = 5;

/** The end of the shell's message about a missing program. */
export const NOT_INSTALLED = 'is not installed';

/**
 * The argv of a command that runs a program under limits and without our environment. The started process becomes the
 * program. A limit that the system does not support (macOS has none on address space), or that is lower already, stays
 * as it is.
 */
export function confine(program: string, limits: ProcessLimits): readonly [string, ...string[]] {
  const { addressBytes, cpuSeconds, fileBytes } = limits;
  // https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ulimit.html: files in blocks of 512 bytes
  const script = [
    'exec 3>&2 2>/dev/null',
    'ulimit -c 0',
    `ulimit -S -t ${cpuSeconds}`,
    `ulimit -H -t ${cpuSeconds + GRACE_SECONDS}`,
    `ulimit -n ${OPEN_FILES}`,
    `ulimit -f ${Math.ceil(fileBytes / 512)}`,
    `ulimit -v ${Math.ceil(addressBytes / 1024)}`,
    'exec 2>&3 3>&-',
    `command -v "$1" >/dev/null || { echo "$1 ${NOT_INSTALLED}" >&2; exit 127; }`,
    'exec "$@"',
  ].join('\n');
  const variables = INHERITED_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return ['env', '-i', ...variables, ...FIXED_VARIABLES, 'sh', '-c', script, 'confined', program];
}

/**
 * CPU seconds of all child processes that have ended: cutime and cstime in
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html. NaN except on Linux.
 */
export function childrenSeconds(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const [user, system] = fields.slice(13, 15).map(Number);
    return ((user ?? Number.NaN) + (system ?? Number.NaN)) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
