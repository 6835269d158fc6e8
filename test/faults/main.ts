import { parseArgs } from 'node:util';
import { describeRows, runScenario, scenarios, unsupported } from './run.ts';
import type { Row } from './scene.ts';

const HELP = `Usage: npm run test:faults -- [options]

Disturbs real workers while they turn uploads into assets, and checks the results. The seed determines
the faults and their times, as far as a busy machine allows.

Options:
  --long         run all scenarios with more faults, 200 kills and more; takes half an hour
  --seed TEXT    repeat a run with its seed
  --only TEXT    run only the scenarios whose names contain TEXT
  --help         print this text
`;

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const { long, seed, only } = values;
  console.log(`Seed ${seed}.`);
  const rows: Row[] = [];
  for (const scenario of scenarios(long).filter(({ name }) => name.includes(only))) {
    const reason = unsupported(scenario);
    console.log(`${scenario.name} ${reason === undefined ? '…' : `(skipped: ${reason})`}`);
    if (reason !== undefined) continue;
    const row = await runScenario(scenario, seed, long ? 13 : 1);
    console.log(describeRows([row]));
    rows.push(row);
  }
  console.log(describeRows(rows));
  if (rows.some(({ faults, lost }) => faults.length > 0 || lost > 0)) process.exitCode = 1;
}
