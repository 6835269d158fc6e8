import { openLocalBackend } from '../../../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT } from '../../../../core/storage/local/layout.ts';

/** Writes objects without end, and prints the number of each when its write has completed. */
const [directory = '', writer = ''] = process.argv.slice(2);
const backend = await openLocalBackend({ directory, layout: LOCAL_LAYOUT });
for (let index = 0; ; index += 1) {
  const body = Buffer.alloc(200_000, `${writer} ${index} `);
  await backend.store.put('source', `${writer}/${index}`, body);
  process.stdout.write(`${index}\n`);
}
