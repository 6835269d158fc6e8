import { beforeEach, expect, test } from 'vitest';
import { describeDeadLetter } from '../../../core/catalog/dead-letter.ts';
import { assetIdOf, jobIdOf } from '../../../core/model/ids.ts';
import { jobKeys } from '../../../core/model/keys.ts';
import { serialiseJob, serialiseUnit } from '../../../core/model/message.ts';
import type { Backend } from '../../../core/storage/ports.ts';
import { openTestBackend } from '../../local-backend.ts';
import { putJson } from '../../put-json.ts';

const [BUCKET, JOB] = ['work', 'b'.repeat(20)];
const source = { bucket: 'source', key: '#2 4 강의.mp4' };

let backend: Backend;
beforeEach(async () => {
  const opened = await openTestBackend();
  ({ backend } = opened);
  return opened.close;
});

const write = (key: string, value: unknown) => putJson(backend.store, BUCKET, key, value);

const letter = (body: string) =>
  describeDeadLetter(
    { store: backend.store, config: { WORK_BUCKET: BUCKET } },
    {
      ...{ messageId: 'id', body, receipt: 'r', receiveCount: 1, failures: 0, sentAt: new Date(0) },
    },
  );

test('The dead letter of a failed unit shows its file and its error', async () => {
  await write(jobKeys(JOB).failure('images'), { source, error: 'Error: the disk is on fire' });
  expect(await letter(serialiseUnit(JOB, 'images'))).toMatchObject({
    ...{ id: 'id', step: 'unit images', jobId: JOB, source: source.key },
    reason: 'Error: the disk is on fire',
  });
});

test.each([
  ['that S3 reports', (etag: string) => uploadEvent(etag)],
  [
    'that was requested as a job',
    (etag: string) => serialiseJob({ source: { ...source, etag }, options: {} }),
  ],
])('The dead letter of an upload %s shows its file and its error', async (_name, message) => {
  const { etag } = await backend.store.put(source.bucket, source.key, 'bytes');
  const jobId = jobIdOf(assetIdOf({ ...source, etag }), {});
  await write(jobKeys(jobId).failure('job'), { source, error: 'Error: no answer' });
  expect(await letter(message(etag))).toMatchObject({
    ...{ step: 'job', jobId, source: source.key, reason: 'Error: no answer' },
  });
});

function uploadEvent(eTag: string): string {
  const object = { key: encodeURIComponent(source.key), eTag };
  const s3 = { bucket: { name: source.bucket }, object };
  return JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3 }] });
}

test('A dead letter that cannot be parsed is listed with the reason', async () => {
  expect(await letter('no JSON at all')).toMatchObject({ reason: 'The message is not JSON.' });
});

test('The dead letter of a unit says whether its job is gone, or its workers ended without a report', async () => {
  expect((await letter(serialiseUnit(JOB, 'images'))).reason).toContain('has no plan');
  await write(jobKeys(JOB).plan, {});
  expect((await letter(serialiseUnit(JOB, 'images'))).reason).toContain(
    'each worker that received it ended without one',
  );
});

test('The dead letter of a job that was rejected meanwhile is no longer needed', async () => {
  await write(jobKeys(JOB).failure('images'), { source, error: 'Error: no answer' });
  await write(jobKeys(JOB).result, {
    ...{ type: 'asset.rejected', jobId: JOB, assetId: 'a'.repeat(20), source },
    ...{ code: 'source_gone', reason: 'The uploaded file is no longer there. Upload it again.' },
  });
  expect((await letter(serialiseUnit(JOB, 'images'))).reason).toBe(
    'No longer needed: the video was rejected. The uploaded file is no longer there. Upload it again.',
  );
});
