import { describe, expect, test } from 'vitest';
import { PoisonError } from '../../../core/model/errors.ts';
import { assetIdOf, jobIdOf } from '../../../core/model/ids.ts';
import {
  parseMessage,
  serialiseJob,
  serialiseReconcile,
  serialiseUnit,
} from '../../../core/model/message.ts';
import { storedTitle, titleMetadata, titleOf } from '../../../core/model/title.ts';
import { uploadEvent } from '../../../core/storage/local/event.ts';

const record = (object: object, more: object = {}) =>
  JSON.stringify({
    Records: [
      {
        ...{ eventVersion: '2.1', eventSource: 'aws:s3', eventName: 'ObjectCreated:Put' },
        s3: { bucket: { name: 'source' }, object },
        ...more,
      },
    ],
  });

function problem(body: string): string {
  try {
    parseMessage(body);
  } catch (error) {
    if (error instanceof PoisonError) return error.message;
    throw error;
  }
  return 'none';
}

describe('S3 events', () => {
  test.each([
    ['plain.mp4', 'plain.mp4'],
    ['a+b', 'a b'],
    ['a%2Bb', 'a+b'],
    ['%232+4+Protection+with+PropTypes.mp4', '#2 4 Protection with PropTypes.mp4'],
    ['%EA%B0%95%EC%9D%98/1.mp4', '강의/1.mp4'],
    ['100%25.mp4', '100%.mp4'],
    ['folder//x', 'folder//x'],
  ])('The key %s of an S3 event is decoded to %s', (encoded, key) => {
    expect(parseMessage(record({ key: encoded, size: 1, eTag: '"abc"' }))).toEqual({
      type: 'uploads',
      uploads: [{ bucket: 'source', key, etag: 'abc' }],
    });
  });

  test('An event of the local backend is parsed like one of S3', () => {
    const upload = { bucket: 'source', key: "#2 4 100% +'é.mp4", sizeBytes: 7, etag: 'e' };
    const body = uploadEvent({ ...upload, at: new Date(0), by: 'Put' });
    expect(parseMessage(body)).toEqual({
      type: 'uploads',
      uploads: [{ bucket: 'source', key: upload.key, etag: 'e' }],
    });
  });

  test('An S3 event can lack the size, the ETag, the time and the zone of the time', () => {
    expect(parseMessage(record({ key: 'k' }))).toMatchObject({ type: 'uploads' });
    const local = { eventTime: '2026-11-22T11:46:27.046060' };
    expect(parseMessage(record({ key: 'k' }, local))).toMatchObject({ type: 'uploads' });
  });

  test('S3 events that are not uploads are ignored', () => {
    const deleted = record({ key: 'k' }, { eventName: 'ObjectRemoved:Delete' });
    expect(parseMessage(deleted)).toMatchObject({ type: 'ignored' });
    expect(parseMessage('{"Service":"Amazon S3","Event":"s3:TestEvent"}').type).toBe('ignored');
    expect(parseMessage('{"Records":[]}').type).toBe('ignored');
  });

  test.each([
    ['a malformed key', record({ key: '%E0%A4%A' }), /object\.key has a % that begins no %xx/],
    ['no key', record({}), /object\.key/],
    ['an empty key', record({ key: '' }), /object\.key is empty/],
    ['a key that is too long', record({ key: 'x'.repeat(1025) }), /longer than 1024 bytes/],
    ['a negative size', record({ key: 'k', size: -1 }), /size is negative/],
    ['a size beyond S3', record({ key: 'k', size: 2 ** 43 }), /larger than S3 allows/],
    ['an invalid time', record({ key: 'k' }, { eventTime: 'soon' }), /eventTime is not a time/],
    ['invalid records', '{"Records":7}', /Records/],
  ])('An S3 event with %s is rejected with the reason', (_what, body, sentence) => {
    expect(problem(body)).toMatch(sentence);
  });

  test('The error of an S3 event names all wrong fields at once', () => {
    const sentence = problem(record({ key: '', size: -1 }, { eventTime: 'soon' }));
    for (const field of ['key', 'size', 'eventTime']) expect(sentence).toContain(field);
  });
});

test('A request to look for lost work is parsed as it was serialised', () => {
  expect(parseMessage(serialiseReconcile())).toEqual({ type: 'reconcile' });
});

describe('Jobs and units', () => {
  test('Jobs and units are parsed as they were serialised', () => {
    const request = {
      source: { bucket: 'source', key: '한 글.mp4', etag: 'e' },
      options: { ladder: ['720p'], title: 'T', soundOnly: false },
    };
    expect(parseMessage(serialiseJob(request))).toEqual({ type: 'job', ...request });
    const jobId = 'a'.repeat(20);
    expect(parseMessage(serialiseUnit(jobId, 'video-00003'))).toEqual({
      ...{ type: 'unit', jobId },
      unit: 'video-00003',
    });
  });

  test.each([
    ['not JSON', 'hello', /^The message is not JSON\.$/],
    ['of an unknown type', '{"type":"song"}', /neither an S3 event nor a job nor a unit/],
    ['null', 'null', /neither an S3 event nor a job nor a unit/],
    ['a job without a source', '{"type":"job"}', /no valid job: source/],
    [
      'a job with an unknown rung',
      '{"type":"job","source":{"bucket":"b","key":"k"},"options":{"ladder":["9p"]}}',
      /ladder\.0 is none of 1080p/,
    ],
    [
      'a job with an unknown option',
      '{"type":"job","source":{"bucket":"b","key":"k"},"options":{"speed":1}}',
      /speed/,
    ],
    [
      'a path for a unit',
      `{"type":"unit","jobId":"${'a'.repeat(20)}","unit":"../../x"}`,
      /unit is no name of a unit/,
    ],
    ['a path for a job', '{"type":"unit","jobId":"../x","unit":"images"}', /jobId is no job id/],
  ])('A message that is %s is rejected with the reason', (_what, body, sentence) => {
    expect(problem(body)).toMatch(sentence);
  });
});

describe('Ids', () => {
  const source = { bucket: 'b', key: 'k', etag: 'e' };

  test('An asset id is the same for the same object, differs for other objects, and needs no escaping', () => {
    const id = assetIdOf(source);
    expect(id).toMatch(/^[0-9a-f]{20}$/);
    expect(assetIdOf({ ...source })).toBe(id);
    const others = [{ bucket: 'x' }, { key: 'x' }, { etag: 'x' }, { bucket: 'bk', key: '' }];
    const ids = others.map((other) => assetIdOf({ ...source, ...other }));
    expect(new Set([id, ...ids]).size).toBe(5);
  });

  test('A job id does not depend on the title', () => {
    const plain = jobIdOf('a', {});
    expect(jobIdOf('a', { soundOnly: false, title: 'x' })).toBe(plain);
    const others = [{ ladder: ['720p'] }, { soundOnly: true }];
    expect(new Set([plain, ...others.map((options) => jobIdOf('a', options))]).size).toBe(3);
  });
});

describe('Titles', () => {
  test.each([
    ['uploads/1/#2 4 Protection with PropTypes.mp4', '#2 4 Protection with PropTypes'],
    ['강의 1강 – 소개.mp4', '강의 1강 – 소개'],
    [`${'강의'.normalize('NFD')}.mov`, '강의'],
    ['v1.2 notes.final.mkv', 'v1.2 notes.final'],
    ['.mp4', '.mp4'],
    ['folder/', 'Untitled'],
    ['caf\ufffd.mp4', 'caf_'],
    ['a\u202egnp.mp4', 'a gnp'],
    ['line\nbreak.mp4', 'line break'],
    ['x'.repeat(300), 'x'.repeat(200)],
  ])('The title of the file %j is %j', (key, title) => {
    expect(titleOf(key)).toBe(title);
  });

  test('The title of the uploader is used if it has visible characters', () => {
    expect(titleOf('a.mp4', ' Lecture 1 ')).toBe('Lecture 1');
    expect(titleOf('a.mp4', ' \n ')).toBe('a');
  });

  test.each(['강의'.repeat(500), '🎬 take 1', '100 % & "more"'])(
    'The title %j is stored as ASCII within the 2 KB of metadata',
    (title) => {
      const metadata = titleMetadata(title);
      expect(metadata.title).toMatch(/^[\x20-\x7e]{1,1900}$/);
      expect(titleOf('a.mp4', storedTitle(metadata))).toBe(titleOf('a.mp4', title));
    },
  );

  test('A title that was not encoded is used as it is', () => {
    expect(storedTitle({ title: '100 % plain' })).toBe('100 % plain');
    expect(storedTitle({})).toBeUndefined();
  });
});
