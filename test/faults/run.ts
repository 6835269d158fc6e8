import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { whyNoEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import { clip } from '../e2e/clips.ts';
import { Machine } from '../e2e/machine.ts';
import type { Command } from '../e2e/machine.ts';
import { onOwnDisk, noOwnDisk } from './own-disk.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { Scene, digestOf } from './scene.ts';
import type { Row } from './scene.ts';

/** Three chunks, sound and images. */
export function disturbedFile(): string {
  return clip({ name: 'disturbed.mp4', seconds: 100, size: '320x180' });
}

const ALONE = fileURLToPath(new URL('alone.ts', import.meta.url));

const rowSchema: z.ZodType<Row> = z.object({
  name: z.string(),
  injected: z.number(),
  jobs: z.number(),
  survived: z.number(),
  redone: z.number(),
  lost: z.number(),
  seconds: z.number(),
  peaks: z.record(z.string(), z.number()),
  faults: z.array(z.string()),
});

const digests = new Map<string, Promise<string>>();

/** The digest of what an undisturbed job of the file publishes. */
function undisturbed(file: string): Promise<string> {
  const known = digests.get(file) ?? publish(file);
  digests.set(file, known);
  return known;
}

async function publish(file: string): Promise<string> {
  const machine = await Machine.open();
  try {
    machine.start();
    const { assetId } = await machine.upload(file, `0/${basename(file)}`);
    // A source of two hours takes one worker minutes.
    await machine.ready(60);
    return digestOf(await machine.published(assetId), assetId);
  } finally {
    await machine.close();
  }
}

/** Runs a scenario with `times` as many faults as in a short run. */
export async function runScenario(scenario: Scenario, seed: string, times: number): Promise<Row> {
  const { name, disk } = scenario;
  if (disk === undefined) return playScenario(scenario, seed, times);
  const folder = await mkdtemp(join(tmpdir(), 'vodstack-disk-'));
  const alone: Command = [process.execPath, ALONE, name, seed, String(times)];
  const [program, ...argv] = onOwnDisk(folder, disk, alone);
  try {
    const env = { ...process.env, TMPDIR: folder };
    const { stdout } = await promisify(execFile)(program, argv, { env });
    return rowSchema.parse(JSON.parse(stdout));
  } finally {
    await rmdir(folder);
  }
}

/** The reason why this machine cannot run a scenario; undefined if it can. */
export function unsupported({ cloud, mounts, disk }: Scenario): string | undefined {
  if (cloud) return whyNoEmulator;
  return mounts || disk !== undefined ? noOwnDisk : undefined;
}

export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (!found) throw new Error(`There is no scenario ${name}.`);
  return found;
}

/** Runs a scenario in this process, with its backend in the folder for temporary files. */
export async function playScenario(scenario: Scenario, seed: string, times: number): Promise<Row> {
  const started = performance.now();
  const { name, count, cloud } = scenario;
  const setting = cloud && cloudSetting;
  const scene = await Scene.open(`${seed}/${name}`, undisturbed, setting);
  await scenario.run(scene, Math.ceil(count * times), disturbedFile());
  const row = await scene.close(name, scenario);
  return { ...row, seconds: (performance.now() - started) / 1000 };
}

export function scenarios(isLong: boolean): readonly Scenario[] {
  return SCENARIOS.filter(({ long = false }) => isLong || !long);
}

/** Formats a table of the scenarios, the peak memory of one process of each program, and the violations. */
export function describeRows(rows: readonly Row[]): string {
  const columns = ['injected', 'jobs', 'survived', 'redone', 'lost', 'seconds'] as const;
  const width = Math.max(...rows.map(({ name }) => name.length));
  const line = (name: string, cells: readonly (string | number)[]) =>
    [name.padEnd(width), ...cells.map((cell) => String(cell).padStart(8))].join(' ');
  return [
    line('', columns),
    ...rows.map((row) =>
      line(
        row.name,
        columns.map((column) => Math.round(row[column])),
      ),
    ),
    ...rows.map(({ name, peaks }) => {
      const programs = Object.entries(peaks).map(([program, bytes]) => `${program} ${mib(bytes)}`);
      return `${name}: ${programs.join(', ')} MiB`;
    }),
    ...rows.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`)),
  ].join('\n');
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
