import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PoisonError } from '../../../core/model/errors.ts';
import { parseMessage } from '../../../core/model/message.ts';
import { openLocalBackend } from '../../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT } from '../../../core/storage/local/layout.ts';
import type { ContractBackend, Subject } from './contract/backend.ts';
import { describeObjects } from './contract/objects.ts';
import { describePrecedence } from './contract/precedence.ts';
import { describeQueues } from './contract/queues.ts';
import { describeUploads } from './contract/uploads.ts';

async function openContractBackend(): Promise<ContractBackend> {
  const directory = await mkdtemp(join(tmpdir(), 'vodstack-contract-'));
  const queues = { uploads: 'uploads', jobs: 'jobs', units: 'units', deadLetters: 'dead-letters' };
  const redrive = { to: queues.deadLetters, maxReceives: 2 };
  const backend = await openLocalBackend({
    directory,
    layout: {
      notifications: { watched: queues.uploads },
      redrive: { [queues.jobs]: redrive, [queues.units]: redrive },
    },
  });
  return {
    ...{ backend, queues, buckets: { plain: 'plain', watched: 'watched' } },
    close: async () => {
      await backend.close();
      await rm(directory, { recursive: true });
    },
  };
}

const local: Subject = {
  ...{ open: openContractBackend, largeMib: 1024, many: 3000 },
  ...{ delivery: 'once', lateReceipts: 'refused' },
};

describe('The local backend', () => {
  describeObjects(local);
  describeUploads(local);
  describeQueues(local);
  describePrecedence(local);
});

test('The job with the fewest messages comes first, and jobs with equally many in the order of their arrival', async () => {
  const contract = await openContractBackend();
  const units = contract.backend.queue(contract.queues.units);
  const send = (group: string, count: number) =>
    units.sendAll(
      Array.from({ length: count }, (_, index) => ({ body: `${group}${index}`, group })),
    );
  await send('film', 5);
  await send('talk', 3);
  await send('clip', 2);
  await send('other', 2);
  const received: string[] = [];
  for (let index = 0; index < 12; index += 1) {
    const [message] = await units.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 30 });
    received.push(message?.body ?? '');
  }
  expect(received.join(' ')).toBe(
    'clip0 clip1 other0 other1 talk0 talk1 talk2 film0 film1 film2 film3 film4',
  );
  await contract.close();
});

describe('An invalid row of a queue', () => {
  test.each([
    ['a blob', `x'00ff'`, 'is no text but blob'],
    ['a blob of 20 MB', 'zeroblob(20000000)', 'is no text but blob'],
    ['a text of 20 MB', `printf('%.*c', 20000000, 'x')`, 'has 20000000 bytes'],
    ['a number', '1e999', 'is no text but'],
  ])(
    'A message whose body is %s is rejected, and does not block the next one',
    async (_, value, reason) => {
      const directory = await mkdtemp(join(tmpdir(), 'vodstack-rows-'));
      const backend = await openLocalBackend({ directory, layout: LOCAL_LAYOUT });
      const database = new DatabaseSync(join(directory, 'index.sqlite'));
      const far = '9223372036854775807';
      database.exec(
        `insert into messages (queue, body, "group", sent, visible)
       values ('jobs', cast(${value} as blob), x'00ff', ${far}, 0);
       update messages set body = ${value} where typeof(${value}) = 'text'`,
      );
      database.close();
      const jobs = backend.queue('jobs');
      await jobs.send('next');
      const messages = await jobs.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30 });
      expect(messages).toHaveLength(2);
      const [unreadable, next] = messages;
      expect(() => parseMessage(unreadable?.body ?? '')).toThrow(PoisonError);
      expect(() => parseMessage(unreadable?.body ?? '')).toThrow(reason);
      expect(Buffer.byteLength(unreadable?.body ?? '')).toBeLessThan(100_000);
      expect(next?.body).toBe('next');
      await backend.close();
      await rm(directory, { recursive: true });
    },
  );
});

describe('Several processes', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vodstack-home-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const program = fileURLToPath(new URL('programs/write-objects.ts', import.meta.url));

  test('Processes that are killed with -9 lose no completed write, and leave no partial one', async () => {
    const writers = ['a', 'b'].map((name) => {
      const child = spawn(process.execPath, [program, directory, name]);
      const told: number[] = [];
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => told.push(Number(line)));
      return { name, child, told, lines };
    });
    for (const { child, told, lines } of writers) {
      while (told.length < 20) await once(lines, 'line');
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    const backend = await openLocalBackend({ directory, layout: LOCAL_LAYOUT });
    for (const { name, told } of writers) {
      for (const index of told) {
        const found = await backend.store.get('source', `${name}/${index}`);
        const body = found && (await buffer(found.body));
        expect(body?.equals(Buffer.alloc(200_000, `${name} ${index} `))).toBe(true);
      }
    }
    let objects = 0;
    for await (const { sizeBytes } of backend.store.list('source', '')) {
      expect(sizeBytes).toBe(200_000);
      objects += 1;
    }
    // An object and its event are written in one transaction.
    expect((await backend.queue('jobs').counts()).visible).toBe(objects);
    // Their unfinished files are gone at the next start: each object has a file and its label.
    expect(await backend.sweep()).toBe(0);
    const files = await readdir(join(directory, 'blobs'), { recursive: true });
    expect(files.filter((file) => file.includes('/'))).toHaveLength(2 * objects);
    await backend.close();
  });

  test('A process can sweep while others write, and their files stay', async () => {
    const backend = await openLocalBackend({ directory, layout: LOCAL_LAYOUT });
    await backend.store.put('source', 'kept', 'kept');
    await Promise.all([
      backend.sweep(),
      backend.store.put('source', 'new', 'new'),
      backend.sweep(),
    ]);
    for (const key of ['kept', 'new']) {
      const found = await backend.store.get('source', key);
      expect(found && (await buffer(found.body)).toString()).toBe(key);
    }
    expect(await readdir(directory)).toContain('blobs');
    await backend.close();
  });
});
