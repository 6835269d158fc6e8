import { playScenario, scenarioOf } from './run.ts';

/** Runs one kind of fault in a process of its own, and writes its row to standard output. */
const [name = '', seed = '', times = '1'] = process.argv.slice(2);
console.log(JSON.stringify(await playScenario(scenarioOf(name), seed, Number(times))));
