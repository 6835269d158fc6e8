import { cloudSetting } from '../aws/setting.ts';
import { Machine } from '../e2e/machine.ts';
import { clip } from '../e2e/clips.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { Scene, digestOf } from './scene.ts';
import type { Row } from './scene.ts';

/** Three chunks, sound and images. */
export function disturbedFile(): string {
  return clip({ name: 'disturbed.mp4', seconds: 100, size: '320x180' });
}

const digests = new Map<string, Promise<string>>();

/** What a file's job publishes when nothing happens to it. */
function undisturbed(file: string): Promise<string> {
  const known = digests.get(file) ?? publish(file);
  digests.set(file, known);
  return known;
}

async function publish(file: string): Promise<string> {
  const machine = await Machine.open();
  try {
    machine.start();
    const { assetId } = await machine.upload(file, '0/disturbed.mp4');
    await machine.ready();
    return digestOf(await machine.published(assetId), assetId);
  } finally {
    await machine.close();
  }
}

/** Runs one kind of fault, `times` as often as in the short form. */
export async function runScenario(scenario: Scenario, seed: string, times: number): Promise<Row> {
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

/** The table of a run; below it the memory that the largest process of each program took, and what must not be. */
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
