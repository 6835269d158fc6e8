import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, vi } from 'vitest';
import { z } from 'zod';

const SCRIPT = fileURLToPath(new URL('emulator.py', import.meta.url));

/** Where ./scripts/setup --test puts moto when the machine has none. */
const OWN = fileURLToPath(new URL('../../.venv/bin/python3', import.meta.url));

const PYTHON = ['python3', OWN].find(
  (path) => spawnSync(path, ['-c', 'import moto.server']).status === 0,
);

/** Why there is no emulator on this machine; undefined when there is one. */
export const whyNoEmulator = PYTHON
  ? undefined
  : 'moto is missing, get it by ./scripts/setup --test';

/** A suite that needs the emulator; where there is none it is skipped, and its name says why. */
export function describeWithEmulator(name: string, suite: () => void): void {
  if (whyNoEmulator === undefined) describe(name, suite);
  else describe.skip(`${name}: ${whyNoEmulator}`, suite);
}

/** A running emulator of AWS that forgets everything when it is stopped. */
export interface Emulator {
  /** `http://127.0.0.1:40123` */
  readonly endpoint: string;
  /** What a process needs in its environment to take the emulator for AWS. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of all that is there, by kind, whether it has tags or not. */
  everything(): Promise<Readonly<Record<string, readonly string[]>>>;
  stop(): Promise<void>;
}

/**
 * Registers hooks that start an emulator for the tests of a suite, put it into the environment, and stop it. The
 * properties of the result can be read once the hooks have run.
 */
export function useEmulator(): Pick<Emulator, 'endpoint' | 'env' | 'everything'> {
  let emulator: Emulator | undefined;
  const running = () => {
    if (!emulator) throw new Error('The emulator has not started yet.');
    return emulator;
  };
  beforeAll(async () => {
    emulator = await startEmulator();
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
    return async () => {
      vi.unstubAllEnvs();
      await emulator?.stop();
    };
  });
  return {
    get endpoint() {
      return running().endpoint;
    },
    get env() {
      return running().env;
    },
    everything: () => running().everything(),
  };
}

const inventory = z.record(z.string(), z.array(z.string()));

/**
 * Starts the emulator on a free port of loopback, empty. It ends when this process does. Throws Error
 * with what it said when it does not start.
 */
export async function startEmulator(): Promise<Emulator> {
  if (PYTHON === undefined) throw new Error(`The emulator cannot start: ${whyNoEmulator}.`);
  const child = spawn(PYTHON, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const ended = once(child, 'close');
  const failed = ended.then(() => {
    throw new Error(`The emulator did not start:\n${said}`);
  });
  const first = once(createInterface(child.stdout), 'line');
  const [line] = (await Promise.race([first, failed])) as [unknown];
  failed.catch(() => undefined);
  const { port } = z.object({ port: z.int() }).parse(JSON.parse(z.string().parse(line)));
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      // Of the shipped stages.
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'emulator',
      AWS_SECRET_ACCESS_KEY: 'emulator',
    },
    everything: async () => inventory.parse(await (await fetch(`${endpoint}/everything`)).json()),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
