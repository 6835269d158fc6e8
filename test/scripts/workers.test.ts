import { describe, expect, test } from 'vitest';
import { createLog } from '../../core/log.ts';
import { layoutEnv } from '../../core/storage/local/layout.ts';
import { RESTART_POLICY, restartDelay } from '../../scripts/local/restarts.ts';
import { startWorkers } from '../../scripts/local/workers.ts';

describe('A worker that dies', () => {
  test('is started again after ever longer pauses, and given up at the twelfth death.', () => {
    const pauses = Array.from({ length: 12 }, (_, index) =>
      restartDelay(
        Array.from({ length: index + 1 }, (_, at) => at),
        RESTART_POLICY,
      ),
    );
    expect(pauses).toEqual([0.25, 0.5, 1, 2, 4, 8, 15, 15, 15, 15, 15, 'give up']);
  });

  test('once a minute is never given up.', () => {
    const deaths = Array.from({ length: 100 }, (_, minute) => minute * 60);
    expect(restartDelay(deaths, RESTART_POLICY)).toBe(4);
  });

  test('at each start ends the command, with a reason.', async () => {
    const env = { ...layoutEnv('/dev/null/no-folder'), LOG_LEVEL: 'silent' } as const;
    const policy = { ...RESTART_POLICY, maxExits: 3, initialDelaySeconds: 0.01 };
    const workers = startWorkers(1, env, createLog('silent'), policy);
    await expect(workers.failed).rejects.toThrow(
      'A worker ended 3 times within 300 s and got nothing done in between, at last with code 1;',
    );
    await workers.stop();
  });
});
