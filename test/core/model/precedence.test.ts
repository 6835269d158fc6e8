import { expect, test } from 'vitest';
import { serialiseJob, serialiseReconcile, serialiseUnit } from '../../../core/model/message.ts';
import { deferrableJob } from '../../../core/model/precedence.ts';
import { uploadEvent } from '../../../core/storage/local/event.ts';

const JOB = '0123456789abcdef0123';
const source = { bucket: 'source', key: 'a.mp4', etag: 'e' };

test.each([
  ['an upload', uploadEvent({ ...source, sizeBytes: 1, at: new Date(0), by: 'Put' })],
  ['a job', serialiseJob({ source, options: {} })],
  ['a check', serialiseReconcile()],
  ['the first chunk of a video', serialiseUnit(JOB, 'video-00000')],
  ['a sound track', serialiseUnit(JOB, 'audio-1')],
  ['the images', serialiseUnit(JOB, 'images')],
  ['a message that cannot be parsed', 'no JSON'],
])('The message of %s is urgent', (_, body) => {
  expect(deferrableJob(body)).toBeUndefined();
});

test.each(['video-00001', 'video-00599'])(
  'The unit %s can wait, in the group of its job',
  (unit) => {
    expect(deferrableJob(serialiseUnit(JOB, unit))).toBe(JOB);
  },
);
