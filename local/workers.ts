import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import type { WorkerEnv } from '../worker/config.ts';
import type { Logger } from '../worker/log.ts';

export interface Workers {
  /** Settles only when a worker cannot be kept running: rejects with the reason. */
  readonly failed: Promise<never>;
  /** Lets each give its unit back and end. */
  stop(): Promise<void>;
}

const PROGRAM = new URL('../worker/main.ts', import.meta.url);
/** A worker that ends sooner than this after its start has not got to work. */
const HEALTHY_SECONDS = 10;
const MOST_FAILURES = 3;

/** Starts worker processes and keeps them running. They stop by themselves when this process is gone. */
export function startWorkers(count: number, env: WorkerEnv, log: Logger): Workers {
  const children = new Set<ChildProcess>();
  const stop = new AbortController();
  const stopping = () => stop.signal.aborted;
  const keep = async () => {
    for (let failures = 0; !stop.signal.aborted;) {
      const started = performance.now();
      const child = fork(PROGRAM, {
        execArgv: ['--disable-warning=ExperimentalWarning'],
        env: { ...process.env, ...env },
        // A terminal's Ctrl-C goes to us, and from us to the workers.
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      children.add(child);
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      children.delete(child);
      if (stopping()) return;
      failures = performance.now() - started < HEALTHY_SECONDS * 1000 ? failures + 1 : 1;
      log.warn({ event: 'worker.ended', code, signal, failures });
      if (failures >= MOST_FAILURES) {
        throw new Error(
          `A worker ended ${failures} times in a row, at last with ${signal ?? `code ${String(code)}`}; what it said stands above.`,
        );
      }
      await after(failures * 500, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = Array.from({ length: count }, keep);
  const failed = new Promise<never>((_resolve, reject) => {
    for (const one of running) one.catch(reject);
  });
  // Whoever waits for it hears of it; nobody has to.
  failed.catch(() => undefined);
  return {
    failed,
    stop: async () => {
      stop.abort();
      for (const child of children) child.kill('SIGTERM');
      await Promise.allSettled(running);
    },
  };
}
