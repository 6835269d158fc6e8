import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../core/environment.ts';
import { openLocalBackend } from '../core/storage/local/backend.ts';
import { LOCAL_LAYOUT, layoutEnv } from '../core/storage/local/layout.ts';
import { openServices } from '../worker/services.ts';

/** Opens a local backend in a temporary folder. `close` is meant as the return value of a `before` hook. */
export async function openTestBackend() {
  const directory = await mkdtemp(join(tmpdir(), 'vodstack-backend-'));
  const data = join(directory, 'backend');
  const backend = await openLocalBackend({ directory: data, layout: LOCAL_LAYOUT });
  return {
    /** Removed by `close`; a test may write into it. */
    directory,
    /** The folder of the backend, for `--data`. */
    data,
    backend,
    /** The services of a worker whose environment has these variables. */
    services: (env: Readonly<Record<string, string>> = {}) =>
      openServices(readConfig({ ...layoutEnv(data), ...env }), backend, directory),
    close: async () => {
      await backend.close();
      await rm(directory, { recursive: true });
    },
  };
}
