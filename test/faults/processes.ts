import { readFileSync, readdirSync } from 'node:fs';

export interface Found {
  readonly pid: number;
  /** `ffmpeg`, `ffprobe`, `node` … */
  readonly name: string;
}

/** The processes whose command lines contain a folder, except this one. */
export function processesIn(directory: string): readonly Found[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const named = read(pid, 'cmdline').includes(directory);
    // A zombie has no command line.
    return named ? [{ pid, name: read(pid, 'comm').trim() }] : [];
  });
}

/** Empty if the process has ended meanwhile. */
function read(pid: number, file: 'cmdline' | 'comm'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Returns false if the process has ended meanwhile. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
