import { expect, test } from 'vitest';
import { whyNoEmulator } from '../aws/emulator.ts';
import { describeRows, runScenario, scenarios } from './run.ts';

// Slow, as real workers work and wait for what was taken from them. `npm run test:faults -- --long` does more.
for (const scenario of scenarios(false)) {
  const why = scenario.cloud && whyNoEmulator;
  const title = `A job ends as it would undisturbed when ${scenario.name}`;
  test.skipIf(why)(`${title}${why ? ` (skipped: ${why})` : ''}.`, async () => {
    const row = await runScenario(scenario, 'short', 1);
    console.log(describeRows([row]));
    expect(row.faults).toEqual([]);
    expect(row).toMatchObject({ lost: 0, survived: row.jobs });
    expect(row.injected).toBeGreaterThan(0);
  });
}
