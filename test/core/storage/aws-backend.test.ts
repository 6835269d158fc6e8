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
  // The emulator keeps all it is given in memory, at some 20 MB and 200 objects a second.
  ...{ largeMib: 64, many: 1200 },
  // SQS promises no more, and the emulator, under load, gives a message to two who ask at once.
  delivery: 'at least once',
  // To SQS such a request succeeds, and the message may stay; the emulator deletes it.
  lateReceipts: 'accepted',
};

describeWithEmulator('The backend in the cloud', () => {
  useEmulator();

  describeObjects(cloud);
  describeUploads(cloud);
  describeQueues(cloud);
  describePrecedence(cloud);

  test('loses nothing that comes in the moment when a receiver is told to stop.', async () => {
    const contract = await openContractBackend();
    const jobs = contract.backend.queue(contract.queues.jobs);
    const stop = new AbortController();
    const waiting = jobs.receive({
      ...{ max: 1, waitSeconds: 20, visibilitySeconds: 30 },
      signal: stop.signal,
    });
    stop.abort(new Error('enough'));
    await jobs.send('just then');
    // The request goes on at SQS, whoever waits for it: its message would be hidden for 30 s.
    expect(await waiting).toMatchObject([{ body: 'just then', receiveCount: 1 }]);
    await contract.close();
  });
});
