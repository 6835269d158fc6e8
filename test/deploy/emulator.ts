import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

export interface Emulator {
  /** `http://127.0.0.1:40123`: AWS_ENDPOINT_URL of who is to use it. */
  readonly endpoint: string;
  /** The environment in which the AWS SDK, Terraform and cdktf use it, and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** Everything in it is gone. */
  stop(): Promise<void>;
}

const SCRIPT = join(import.meta.dirname, 'emulator.py');
const REGION = 'eu-central-1';

/** Why there is no emulator on this machine; undefined when there is one. */
export function whyNoEmulator(): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import moto.server']);
  return status === 0
    ? undefined
    : "moto's server is missing: pip install 'moto[all,server]==5.2.1'";
}

/** Starts AWS on a free port of loopback, empty. Throws Error with what it said when it does not start. */
export async function startEmulator(): Promise<Emulator> {
  const child = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const ended = once(child, 'close').then(() => {
    throw new Error(`The emulator did not start:\n${said}`);
  });
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [
    unknown,
  ];
  const { port } = z.object({ port: z.int() }).parse(JSON.parse(z.string().parse(line)));
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
    stop: async () => {
      child.stdin.end();
      await ended.catch(() => undefined);
    },
  };
}
