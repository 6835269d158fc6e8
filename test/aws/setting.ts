import { openAwsBackend } from '../../core/storage/aws/backend.ts';
import type { Setting } from '../e2e/machine.ts';
import { startEmulator } from './emulator.ts';
import { Resources } from './resources.ts';

/** A backend in an emulator of its own, for this process and for the workers that it starts. */
export async function cloudSetting(): Promise<Setting> {
  const emulator = await startEmulator();
  const before = { ...process.env };
  Object.assign(process.env, emulator.env);
  const resources = new Resources();
  const deadLetters = await resources.queue('dead-letters');
  const jobs = await resources.queue('jobs', { to: deadLetters, maxReceives: 30 });
  const env = {
    VODSTACK_HOME: 'aws:',
    SOURCE_BUCKET: await resources.bucket('source', jobs),
    WORK_BUCKET: await resources.bucket('work'),
    DELIVERY_BUCKET: await resources.bucket('delivery'),
    JOB_QUEUE: jobs,
    UNIT_QUEUE: await resources.queue('units', { to: deadLetters, maxReceives: 30 }),
    DEAD_LETTER_QUEUE: deadLetters,
    EVENT_QUEUE: await resources.queue('events'),
  };
  resources.close();
  const backend = await openAwsBackend();
  return {
    ...{ backend, env },
    close: async () => {
      await backend.close();
      process.env = before;
      await emulator.stop();
    },
  };
}
