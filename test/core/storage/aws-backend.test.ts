import { expect, test } from 'vitest';
import { openAwsBackend } from '../../../core/storage/aws/backend.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { Resources } from '../../aws/resources.ts';
import type { ContractBackend, Subject } from './contract/backend.ts';
import { describeObjects } from './contract/objects.ts';
import { describePrecedence } from './contract/precedence.ts';
import { describeQueues } from './contract/queues.ts';
import { describeUploads } from './contract/uploads.ts';

let backends = 0;

async function openContractBackend(): Promise<ContractBackend> {
  backends += 1;
  const named = (name: string) => `${name}-${backends}`;
  const resources = new Resources();
  const uploads = await resources.queue(named('uploads'));
  const deadLetters = await resources.queue(named('dead-letters'));
  const jobs = await resources.queue(named('jobs'), { to: deadLetters, maxReceives: 2 });
  const units = await resources.queue(named('units'), { to: deadLetters, maxReceives: 2 });
  const plain = await resources.bucket(named('plain'));
  const watched = await resources.bucket(named('watched'), uploads);
  const backend = await openAwsBackend();
  return {
    ...{ backend, queues: { uploads, jobs, units, deadLetters }, buckets: { plain, watched } },
    close: async () => {
      await backend.close();
      resources.close();
    },
  };
}

const cloud: Subject = {
  open: openContractBackend,
  // The emulator keeps everything in memory, and takes about 20 MB and 200 objects a second.
  ...{ largeMib: 64, many: 1200 },
  // SQS promises no more, and under load the emulator delivers a message to two receivers.
  delivery: 'at least once',
  // At SQS such a request succeeds, but the message may stay. The emulator deletes it.
  lateReceipts: 'accepted',
};

describeWithEmulator('The AWS backend', () => {
  useEmulator();

  describeObjects(cloud);
  describeUploads(cloud);
  describeQueues(cloud);
  describePrecedence(cloud);

  test('A message that arrives when a receiver is stopped is not lost', async () => {
    const contract = await openContractBackend();
    const jobs = contract.backend.queue(contract.queues.jobs);
    const stop = new AbortController();
    const waiting = jobs.receive({
      ...{ max: 1, waitSeconds: 20, visibilitySeconds: 30 },
      signal: stop.signal,
    });
    stop.abort(new Error('enough'));
    await jobs.send('just then');
    // The request continues at SQS, and would hide the message for 30 s.
    expect(await waiting).toMatchObject([{ body: 'just then', receiveCount: 1 }]);
    await contract.close();
  });
});
