import { expect, test } from 'vitest';
import { describeRows, runScenario, scenarios, unsupported } from './run.ts';

// Slow: real workers encode, and wait for the leases of killed ones. `npm run test:faults -- --long` does more.
for (const scenario of scenarios(false)) {
  const reason = unsupported(scenario);
  const title = `A job ends as it would undisturbed when ${scenario.name}`;
  test.skipIf(reason !== undefined)(
    `${title}${reason ? ` (skipped: ${reason})` : ''}`,
    async () => {
      const row = await runScenario(scenario, 'short', 1);
      console.log(describeRows([row]));
      expect(row.faults).toEqual([]);
      expect(row).toMatchObject({ lost: 0, survived: row.jobs });
      expect(row.injected).toBeGreaterThan(0);
    },
  );
}
