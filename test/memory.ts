import { readFileSync } from 'node:fs';

/** Memory that a process allocates between its last poll and its end is not counted. */
const POLL_MILLISECONDS = 25;

/** The media programs, and Node, which runs workers and the commands that start them. */
const PROGRAMS = new Set(['ffmpeg', 'ffprobe', 'node', 'MainThread']);

/**
 * Monitors the peak memory of the descendants of a process: their high-water marks (VmHWM in
 * https://man7.org/linux/man-pages/man5/proc_pid_status.5.html). Returns a function that ends this and returns the peaks
 * in bytes, by program.
 */
export function watchMemory(root: number): () => ReadonlyMap<string, number> {
  const peaks = new Map<string, number>();
  const timer = setInterval(() => {
    for (const pid of descendants(root)) {
      const status = read(`/proc/${pid}/status`);
      const name = /^Name:\s+(\w+)/.exec(status)?.[1] ?? '';
      const bytes = 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
      if (PROGRAMS.has(name)) peaks.set(name, Math.max(bytes, peaks.get(name) ?? 0));
    }
  }, POLL_MILLISECONDS);
  return () => {
    clearInterval(timer);
    return peaks;
  };
}

function* descendants(pid: number | string): Generator<string> {
  for (const child of read(`/proc/${pid}/task/${pid}/children`).trim().split(' ')) {
    if (child) yield* [child, ...descendants(child)];
  }
}

/** Empty if the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
