import { createReadStream, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { LOCAL_NAMES } from '../../worker/io/local/layout.ts';
import { upload } from '../../worker/io/upload.ts';
import { assetIdOf } from '../../worker/plan/ids.ts';
import { Machine } from '../e2e/machine.ts';
import { checkHls } from '../hls/check.ts';

const HELP = `Usage: npm run test:corpus -- DIR [NAME …]

Puts every file of a folder, or those whose names begin so, through the worker, and checks each
asset. A MANIFEST.tsv there may say what to expect: its columns "file" and "expected" (a text that
begins with "transcodes" or "rejected") are read. Exit 0 only if all end as expected.
`;

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean' }, workers: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const [folder, ...names] = positionals;
if (values.help || !folder) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}

const expected = readManifest(join(folder, 'MANIFEST.tsv'));
const files = readdirSync(folder)
  .filter((name) => name !== 'MANIFEST.tsv' && statSync(join(folder, name)).isFile())
  .filter((name) => names.length === 0 || names.some((start) => name.startsWith(start)));

const machine = await Machine.open();
let wrong = 0;
try {
  for (let count = Number(values.workers); count > 0; count -= 1) {
    machine.start({ X264_PRESET: 'veryfast' });
  }
  const bucket = LOCAL_NAMES.sourceBucket;
  const waiting = new Map<string, string>();
  for (const name of files) {
    const body = createReadStream(join(folder, name));
    const { etag } = await upload({ store: machine.home.store, bucket, key: name, body });
    waiting.set(assetIdOf({ bucket, key: name, etag }), name);
  }
  while (waiting.size > 0) {
    const event = await machine.event();
    const name = waiting.get(event.assetId);
    if (!name) continue;
    waiting.delete(event.assetId);
    const problems =
      event.type === 'asset.ready'
        ? await checkHls((path) => machine.read(path), `/${event.playlist}`, {
            durationSeconds: event.durationSeconds,
          })
        : [];
    const ended = event.type === 'asset.ready' ? 'transcodes' : event.type.slice('asset.'.length);
    const wanted = expected.get(name);
    const fits = wanted === undefined ? ended !== 'failed' : wanted.includes(ended);
    if (!fits || problems.length > 0) wrong += 1;
    const detail =
      event.type === 'asset.ready'
        ? event.renditions.map((one) => `${one.width}x${one.height}`).join(' ')
        : `${event.code}: ${event.reason}`;
    console.log(
      `${fits && problems.length === 0 ? 'ok   ' : 'WRONG'} ${basename(name)}: ${ended} (${detail})`,
    );
    for (const problem of problems) console.log(`      ${problem}`);
  }
  await machine.stop();
  const { visible, inFlight, delayed } = await machine.counts('jobQueue');
  const dead = await machine.counts('deadLetterQueue');
  if (visible + inFlight + delayed + dead.visible > 0) {
    wrong += 1;
    console.log(`WRONG messages are left: ${JSON.stringify({ visible, inFlight, delayed, dead })}`);
  }
} finally {
  await machine.close();
}
console.log(`\n${files.length - wrong} passed, ${wrong} failed`);
process.exitCode = wrong === 0 ? 0 : 1;

/** By file name, the outcomes that are allowed: "transcodes …, or rejected …" allows both. */
function readManifest(path: string): ReadonlyMap<string, readonly string[]> {
  if (!statSync(path, { throwIfNoEntry: false })) return new Map();
  const [head = '', ...rows] = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const columns = head.split('\t');
  const [file, outcome] = [columns.indexOf('file'), columns.indexOf('expected')];
  return new Map(
    rows.map((row) => {
      const cells = row.split('\t');
      const text = cells[outcome] ?? '';
      return [cells[file] ?? '', ['transcodes', 'rejected'].filter((word) => text.includes(word))];
    }),
  );
}
