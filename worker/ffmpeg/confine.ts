import { readFileSync } from 'node:fs';
import type { ProcessLimits } from '../plan/limits.ts';

/** What a program needs of our environment: where programs and libraries are. Secrets stay here. */
const PASSED_ON = ['PATH', 'LD_LIBRARY_PATH'];

/** By itself glibc sets aside 64 MiB of address space for each thread. https://man7.org/linux/man-pages/man3/mallopt.3.html */
const FIXED = ['MALLOC_ARENA_MAX=1'];

/** A source, its segments and the libraries: a run has some twenty files open. */
const OPEN_FILES = 64;

/** After SIGXCPU a program has so long until it is killed. */
const GRACE_SECONDS = 5;

/** What the shell says of a program that is not there. */
export const NOT_INSTALLED = 'is not installed';

/**
 * The words of a command that runs a program under limits and without our environment. The process
 * that is started becomes the program. A limit that the system does not know, or that is lower already,
 * stays as it is: macOS has none on address space.
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
  const variables = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return ['env', '-i', ...variables, ...FIXED, 'sh', '-c', script, 'confined', program];
}

/**
 * Processor seconds of all our children that have ended. NaN where the system does not tell: only Linux
 * has /proc (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, cutime and cstime).
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
