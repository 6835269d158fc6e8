import { readFileSync } from 'node:fs';

/** How often the memory is looked at; what a process takes in its last moment is not seen. */
const LOOK_MILLISECONDS = 25;

/** Media programs, and a worker or what starts one. */
const PROGRAMS = new Set(['ffmpeg', 'ffprobe', 'node', 'MainThread']);

/**
 * Watches how much memory the programs among the descendants of a process take at the most: the
 * system's own high-water mark of each (VmHWM, https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
 * Returns how to end it and read the peaks, in bytes by program.
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
  }, LOOK_MILLISECONDS);
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

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
