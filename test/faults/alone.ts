import { playScenario, scenarioOf } from './run.ts';

/** Runs one scenario in a process of its own, and prints its row as JSON. */
const [name = '', seed = '', times = '1'] = process.argv.slice(2);
console.log(JSON.stringify(await playScenario(scenarioOf(name), seed, Number(times))));
