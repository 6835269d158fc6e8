import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { assetIdOf } from '../../core/model/ids.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import { uploadFile } from '../../core/storage/upload.ts';
import { Machine } from '../e2e/machine.ts';

const HELP = `Usage: npm run test:corpus -- DIR [NAME …]

Transcodes all files of a folder, or those whose names begin with NAME, and checks each asset. An optional
MANIFEST.tsv in the folder tells the expected results in its columns "file" and "expected" (a text with
the words "transcodes" or "rejected", or both). Exits with 0 only if all results are as expected.
`;

const { folder, names, workers } = readArguments();

const expected = readManifest(join(folder, 'MANIFEST.tsv'));
const files = readdirSync(folder)
  .filter((name) => name !== 'MANIFEST.tsv' && statSync(join(folder, name)).isFile())
  .filter((name) => names.length === 0 || names.some((start) => name.startsWith(start)));

const machine = await Machine.open();
let wrong = 0;
try {
  for (let count = workers; count > 0; count -= 1) {
    machine.start({ X264_PRESET: 'veryfast' });
  }
  const bucket = BUCKETS.source;
  const waiting = new Map<string, string>();
  for (const name of files) {
    const file = join(folder, name);
    const { etag } = await uploadFile({ store: machine.backend.store, bucket, key: name, file });
    waiting.set(assetIdOf({ bucket, key: name, etag }), name);
  }
  while (waiting.size > 0) {
    // A slow file takes an hour. Wait for two hours at most.
    const event = await machine.event(360);
    const name = waiting.get(event.assetId);
    if (!name) continue;
    waiting.delete(event.assetId);
    const problems =
      event.type === 'asset.ready' ? await machine.check(event, join(folder, name)) : [];
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
  const { visible, inFlight, delayed } = await machine.counts('JOB_QUEUE');
  const dead = await machine.counts('DEAD_LETTER_QUEUE');
  if (visible + inFlight + delayed + dead.visible > 0) {
    wrong += 1;
    console.log(`WRONG messages are left: ${JSON.stringify({ visible, inFlight, delayed, dead })}`);
  }
} finally {
  await machine.close();
}
console.log(`\n${files.length - wrong} passed, ${wrong} failed`);
process.exitCode = wrong === 0 ? 0 : 1;

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean' }, workers: { type: 'string', default: '1' } },
      allowPositionals: true,
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const [folder, ...names] = positionals;
    const workers = Number(values.workers);
    if (!folder) throw new Error('A folder of videos is missing.');
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new Error(`There is no folder ${JSON.stringify(folder)}.`);
    }
    if (!(Number.isInteger(workers) && workers > 0)) {
      throw new Error(
        `--workers must be a whole number from 1, not ${JSON.stringify(values.workers)}.`,
      );
    }
    return { folder, names, workers };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

/** The allowed results by file name: "transcodes …, or rejected …" allows both. */
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
