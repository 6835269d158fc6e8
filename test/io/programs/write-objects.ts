import { LOCAL_LAYOUT } from '../../../worker/io/local/layout.ts';
import { openLocalHome } from '../../../worker/io/local/home.ts';

/** Writes objects without end, and says the number of each when it is told that it is written. */
const [directory = '', writer = ''] = process.argv.slice(2);
const home = await openLocalHome({ directory, layout: LOCAL_LAYOUT });
for (let index = 0; ; index += 1) {
  const body = Buffer.alloc(200_000, `${writer} ${index} `);
  await home.store.put('source', `${writer}/${index}`, body);
  process.stdout.write(`${index}\n`);
}
