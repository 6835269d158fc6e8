import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';

/** Where ./scripts/setup --test puts the emulator when the machine has none. */
const OWN = fileURLToPath(new URL('../../.venv/bin/moto_server', import.meta.url));

const PROGRAM = ['moto_server', OWN].find((path) => spawnSync(path, ['--help']).status === 0);

/** A suite that needs the emulator; where there is none it is skipped, and its name says why. */
export function describeWithEmulator(name: string, suite: () => void): void {
  if (PROGRAM) describe(name, suite);
  else describe.skip(`${name}: moto_server is missing, get it by ./scripts/setup --test`, suite);
}

/** A running emulator of AWS that forgets everything when it is stopped. */
export interface Emulator {
  /** What a process needs in its environment to take the emulator for AWS. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts the emulator on a free port of loopback, and waits until it answers. */
export async function startEmulator(): Promise<Emulator> {
  if (!PROGRAM) throw new Error('moto_server is missing. Run ./scripts/setup --test.');
  const child = spawn(PROGRAM, ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'close');
  const address = await addressOf(createInterface({ input: child.stderr }));
  return {
    env: {
      AWS_ENDPOINT_URL: address,
      // Of the stage dev.
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'emulator',
      AWS_SECRET_ACCESS_KEY: 'emulator',
    },
    stop: async () => {
      kill();
      await ended;
      process.removeListener('exit', kill);
    },
  };
}

/** The address that the emulator says it listens at; what it says later is read, and goes nowhere. */
function addressOf(lines: ReturnType<typeof createInterface>): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const address = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address === undefined) said.push(line);
      else resolve(address);
    });
    lines.once('close', () => {
      reject(new Error(`The emulator did not start:\n${said.join('\n')}`));
    });
  });
}
