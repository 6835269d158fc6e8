import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import type { WorkerEnv } from '../../core/environment.ts';
import type { Logger } from '../../core/log.ts';
import { RESTART_POLICY, restartDelay } from './restarts.ts';

export interface Workers {
  /** Rejects with the reason if a worker cannot be kept running. Otherwise it stays pending. */
  readonly failed: Promise<never>;
  /** Lets each worker return its unit to the queue and exit. */
  stop(): Promise<void>;
}

const PROGRAM = new URL('../../worker/main.ts', import.meta.url);

/**
 * Starts worker processes and keeps them running. A worker that exits is restarted after growing delays, until it completes
 * some work. The workers stop by themselves when this process is gone.
 */
export function startWorkers(
  count: number,
  env: WorkerEnv,
  log: Logger,
  policy = RESTART_POLICY,
): Workers {
  const children = new Set<ChildProcess>();
  const stop = new AbortController();
  const stopping = () => stop.signal.aborted;
  const keep = async () => {
    let deaths: number[] = [];
    while (!stopping()) {
      const child = fork(PROGRAM, {
        execArgv: ['--disable-warning=ExperimentalWarning'],
        env: { ...process.env, ...env },
        // Ctrl-C in a terminal must reach this process alone, which then stops the workers.
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      children.add(child);
      // The worker sends a message whenever it has completed a unit.
      child.on('message', () => {
        deaths = [];
      });
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      children.delete(child);
      if (stopping()) return;
      deaths.push(performance.now() / 1000);
      const pauseSeconds = restartDelay(deaths, policy);
      log.warn({ event: 'worker.ended', code, signal, deaths: deaths.length, pauseSeconds });
      if (pauseSeconds === 'give up') {
        throw new Error(
          `A worker ended ${policy.maxExits} times within ${policy.windowSeconds} s and got nothing done in between, ` +
            `at last with ${signal ?? `code ${String(code)}`}; what it said stands above. No work is lost: it goes on at the next start.`,
        );
      }
      await after(pauseSeconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = Array.from({ length: count }, keep);
  const failed = new Promise<never>((_resolve, reject) => {
    for (const one of running) one.catch(reject);
  });
  // Callers may ignore the promise; that must not count as an unhandled rejection.
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
