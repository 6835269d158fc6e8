import { expect, test } from 'vitest';
import { describeRows, runScenario, scenarios, whyNot } from './run.ts';

// Slow, as real workers work and wait for what was taken from them. `npm run test:faults -- --long` does more.
for (const scenario of scenarios(false)) {
  const why = whyNot(scenario);
  const title = `A job ends as it would undisturbed when ${scenario.name}`;
  test.skipIf(why !== undefined)(`${title}${why ? ` (skipped: ${why})` : ''}.`, async () => {
    const row = await runScenario(scenario, 'short', 1);
    console.log(describeRows([row]));
    expect(row.faults).toEqual([]);
    expect(row).toMatchObject({ lost: 0, survived: row.jobs });
    expect(row.injected).toBeGreaterThan(0);
  });
}
